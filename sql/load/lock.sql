-- Makes a second loader wait here, before it reads anything, on an engine without a load lock. No
-- reader uses the table: LOCK is ACCESS EXCLUSIVE, which also blocks queries (DG/r_LOCK.html).
/*redshift lock table etl_lock */;
