-- query: how many rows does each table hold?
-- columns:
--   table_name: of the table
--   row_count: rows in it
select table_name, row_count
from (
    select 1 as place, 'staging_events' as table_name, count(*) as row_count from staging_events
    union all
    select 2, 'staging_songs', count(*) from staging_songs
    union all
    select 3, 'songplays', count(*) from songplays
    union all
    select 4, 'users', count(*) from users
    union all
    select 5, 'user_levels', count(*) from user_levels
    union all
    select 6, 'songs', count(*) from songs
    union all
    select 7, 'artists', count(*) from artists
    union all
    select 8, 'time', count(*) from time
    union all
    select 9, 'etl_loads', count(*) from etl_loads
    union all
    select 10, 'etl_objects', count(*) from etl_objects
    union all
    select 11, 'etl_rejects', count(*) from etl_rejects
) as counts
order by place;
