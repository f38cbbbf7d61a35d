-- Creates the table that `lock.sql` locks. It has no rows.
/*redshift create table if not exists etl_lock (load_id bigint) diststyle all */;
