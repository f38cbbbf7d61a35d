-- query: which songs are played most?
-- parameters: since, until, level, limit (10), by (plays, listeners, hours)
-- covers songs: every play that names its song, by the logged title
-- columns:
--   song_title: as logged, text repaired
--   artist_name: as logged, text repaired
--   plays: plays of the song
--   listeners: users who played it, excluding guests
--   hours: sum of the lengths of the songs played
--   in_catalogue: plays that match the catalogue
with song_totals as (
    /*include song_totals() */
)

select
    song_title,
    artist_name,
    plays,
    listeners,
    hours,
    in_catalogue
from song_totals
order by
    case cast($5 as varchar)
        when 'listeners' then cast(listeners as double precision)
        when 'hours' then hours
        else cast(plays as double precision)
    end desc,
    plays desc,
    f_bytes(song_title),
    f_bytes(artist_name) nulls last
limit $4;
