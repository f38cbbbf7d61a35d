-- query: which artists are played most?
-- parameters: since, until, level, limit (10), by (plays, listeners, hours)
-- covers songs: every play that names its artist, by the logged name
-- columns:
--   artist_name: as logged, text repaired
--   plays: plays of their songs
--   songs: distinct titles played
--   listeners: users who played them, excluding guests
--   hours: sum of the lengths of the songs played
--   in_catalogue: plays that match the catalogue
with artists as (
    select
        artist_name,
        count(*) as plays,
        count(distinct song_title) as songs,
        count(distinct user_id) as listeners,
        f_round(coalesce(sum(/*include listened(length) */), 0) / 3600) as hours,
        count(song_id) as in_catalogue
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
        and artist_name is not null
    group by artist_name
)

select
    artist_name,
    plays,
    songs,
    listeners,
    hours,
    in_catalogue
from artists
order by
    case cast($5 as varchar)
        when 'listeners' then cast(listeners as double precision)
        when 'hours' then hours
        else cast(plays as double precision)
    end desc,
    plays desc,
    f_bytes(artist_name)
limit $4;
