-- Counts of the summary: rows of each table, matches of plays, and staged plays that are copies of
-- another one. Each table that grows with the events is read once at most: the ledger counts the staged
-- rows, as the data test `rows_conserved` proves.
with matched as /*duckdb materialized */ (
    select
        match_method,
        count(*) as plays
    from songplays
    group by match_method
),

staged as (
    select
        coalesce(sum(case when source = 'events' then rows_staged end), 0) as events,
        coalesce(sum(case when source = 'songs' then rows_staged end), 0) as songs
    from etl_objects
),

modelled as (
    select coalesce(sum(plays), 0) as plays
    from matched
)

select subject, name, cast(number as bigint) as number
from (
    select 1 as place, 'table' as subject, 'staging_events' as name, events as number from staged
    union all
    select 2, 'table', 'staging_songs', songs from staged
    union all
    select 3, 'table', 'songplays', plays from modelled
    union all
    select 4, 'table', 'users', count(*) from users
    union all
    select 5, 'table', 'user_levels', count(*) from user_levels
    union all
    select 6, 'table', 'songs', count(*) from songs
    union all
    select 7, 'table', 'artists', count(*) from artists
    union all
    select 8, 'table', 'time', count(*) from time
    union all
    select 9, 'table', 'etl_loads', count(*) from etl_loads
    union all
    select 10, 'table', 'etl_objects', count(*) from etl_objects
    union all
    select 11, 'table', 'etl_rejects', count(*) from etl_rejects
    union all
    select 12, 'match', coalesce(match_method, 'not in the catalogue'), plays from matched
    union all
    -- Few events are no plays, and every event has a page.
    select 13, 'duplicates', '', staged.events - modelled.plays - (select count(*) from staging_events where page <> 'NextSong')
    from staged
    cross join modelled
) as counts
order by place, number desc, f_bytes(name);
