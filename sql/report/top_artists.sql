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
with artist_totals as (
    /*include artist_totals() */
)

select
    artist_name,
    plays,
    songs,
    listeners,
    hours,
    in_catalogue
from artist_totals
order by
    case cast($5 as varchar)
        when 'listeners' then cast(listeners as double precision)
        when 'hours' then hours
        else cast(plays as double precision)
    end desc,
    plays desc,
    f_bytes(artist_name)
limit $4;
