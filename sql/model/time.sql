-- One start time of plays, split into date parts.
-- grain: one start_time of songplays; source: songplays
-- rule: UTC; week is the ISO week, weekday runs from 0, Sunday, to 6, Saturday
-- key: start_time
-- from:
--   start_time: songplays.start_time
--   hour: songplays.start_time
--   day: songplays.start_time
--   week: songplays.start_time
--   month: songplays.start_time
--   year: songplays.start_time
--   weekday: songplays.start_time
create table if not exists time (
    start_time timestamp /*redshift encode raw */ not null, -- key, with milliseconds
    hour integer not null, -- 0 to 23
    day integer not null, -- of the month, 1 to 31
    week integer not null, -- ISO week, 1 to 53
    month integer not null, -- 1 to 12
    year integer not null, -- of the calendar, not of the ISO week
    weekday integer not null -- 0 Sunday to 6 Saturday
    -- redshift: nearly as many rows as plays, so distributed and sorted by its key
) /*redshift distkey(start_time) sortkey(start_time) */;

/*postgres create index if not exists time_start_time on time using brin (start_time) with (pages_per_range = 32) */;

delete from time /*incremental using scope_times where time.start_time = scope_times.start_time and :within_times(touched_plays, time.start_time) */;

insert into time
-- Materialized for DuckDB: see sql/README.md.
with played as /*duckdb materialized */ (
    select songplays.start_time
    from songplays
    /*incremental join scope_times on scope_times.start_time = songplays.start_time
    where :within_times(touched_plays, songplays.start_time) */
),

moments as (
    select distinct start_time
    from played
)

select
    start_time,
    extract(hour from start_time)::integer as hour,
    extract(day from start_time)::integer as day,
    f_week(start_time)::integer as week,
    extract(month from start_time)::integer as month,
    extract(year from start_time)::integer as year,
    f_weekday(start_time)::integer as weekday
from moments;
