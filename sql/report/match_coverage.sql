-- query: how many plays match a song of the catalogue?
-- parameters: since, until, level
-- columns:
--   match_method: exact: title, artist and duration match; title_artist: only title and artist match; not in the catalogue
--   plays: plays with this match
--   percent: share of all plays
with play_hours as (
    /*include play_hours() */
),

matches as (
    select
        coalesce(match_method, 'not in the catalogue') as match_method,
        cast(sum(plays) as bigint) as plays
    from play_hours
    where /*include at_level(level) */
    group by coalesce(match_method, 'not in the catalogue')
)

select
    match_method,
    plays,
    f_percent(plays, (select sum(plays) from matches)) as "percent"
from matches
order by plays desc, f_bytes(match_method);
