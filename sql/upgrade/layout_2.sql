-- Layout 2, of sparkify 0.2.0: the warehouse records its layout, and persons who were erased.
-- Layout 1 is that of sparkify 0.1.0. All other columns, types, collations, encodings, distribution
-- and sort keys are the same; the rules of the model are the same, so no row is rebuilt.
-- PostgreSQL also gets the indexes of incremental loads.
-- Descriptions as comments and declared keys follow from the files of the tables.
create table etl_layout (
    layout bigint not null,
    version label not null,
    applied_at timestamp not null
) /*redshift diststyle all */;
create table etl_erasures (
    hash code not null,
    kind label not null,
    key_id code not null,
    erased_at timestamp not null,
    version label not null
) /*redshift diststyle all */;
alter table etl_objects add column rows_erased bigint;
update etl_objects set rows_erased = 0;
/*postgres create index if not exists staging_events_ts on staging_events (ts) */;
/*postgres create index if not exists staging_events_load_id on staging_events (load_id) */;
/*postgres create index if not exists songplays_start_time on songplays (start_time) */;
/*postgres create index if not exists time_start_time on time using brin (start_time) with (pages_per_range = 32) */;
