-- Makes this session the only one that loads into the schema, if none is. The first number is ours, the letters `spar`.
select pg_try_advisory_lock(1936744818, hashtext(cast($1 as varchar))) as claimed;
