-- Waits for the load lock of schema $1.
select pg_advisory_lock(1936744818, hashtext(cast($1 as varchar))) as is_locked;
