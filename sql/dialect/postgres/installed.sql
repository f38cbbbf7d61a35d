-- Whether the schema $1 exists, and whether it holds every UDF of sparkify.
select
    exists (select 1 from pg_namespace where nspname = cast($1 as varchar)) as has_schema,
    (
        select count(distinct proname) = 9
        from pg_proc
        join pg_namespace on pg_namespace.oid = pg_proc.pronamespace
        where nspname = cast($1 as varchar)
            and proname in (
                'f_epoch_ms', 'f_ms', 'f_bytes', 'f_same', 'f_songplay_id', 'f_week', 'f_weekday', 'f_round', 'f_percent'
            )
    ) as has_functions;
