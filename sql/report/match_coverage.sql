-- query: how many plays match a song of the catalogue?
-- parameters: since, until, level
-- columns:
--   match_method: exact: title, artist and duration match; title_artist: only title and artist match; not in the catalogue
--   plays: plays with this match
--   percent: share of all plays
with plays as (
    select
        coalesce(match_method, 'not in the catalogue') as match_method
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
)

select
    match_method,
    count(*) as plays,
    f_percent(count(*), (select count(*) from plays)) as "percent"
from plays
group by match_method
order by plays desc, f_bytes(match_method);
