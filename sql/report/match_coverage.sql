-- question: for how many plays does the catalogue know the song?
-- parameters: since, until, level
-- columns:
--   match_method: exact: title, artist and duration agree; title_artist: the duration does not; not in the catalogue
--   plays: plays of that kind
--   percent: share of all plays
with plays as (
    select
        coalesce(match_method, 'not in the catalogue') as match_method
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
)

select
    match_method,
    count(*) as plays,
    f_percent(count(*), (select count(*) from plays)) as "percent"
from plays
group by match_method
order by plays desc, f_bytes(match_method);
