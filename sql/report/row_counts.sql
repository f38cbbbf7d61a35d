-- query: how many rows does each table hold?
-- columns:
--   table_name: of the table
--   row_count: rows in it
select 'staging_events' as table_name, count(*) as row_count from staging_events
union all
select 'staging_songs', count(*) from staging_songs
union all
select 'songplays', count(*) from songplays
union all
select 'users', count(*) from users
union all
select 'user_levels', count(*) from user_levels
union all
select 'songs', count(*) from songs
union all
select 'artists', count(*) from artists
union all
select 'time', count(*) from time
union all
select 'etl_loads', count(*) from etl_loads
union all
select 'etl_objects', count(*) from etl_objects
union all
select 'etl_rejects', count(*) from etl_rejects;
