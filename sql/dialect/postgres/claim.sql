-- The same, once the other is done.
select pg_advisory_lock(1936744818, hashtext(cast($1 as varchar))) as claimed;
