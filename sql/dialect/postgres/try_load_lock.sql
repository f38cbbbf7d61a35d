-- Takes the load lock of schema $1 unless another session has it. The first number is sparkify's:
-- the letters `spar`.
select pg_try_advisory_lock(1936744818, hashtext(cast($1 as varchar))) as is_locked;
