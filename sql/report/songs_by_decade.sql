-- query: from which decades are the songs that people play?
-- parameters: since, until, level
-- covers songs: plays that match the catalogue; other plays are counted as `not in the catalogue`
-- columns:
--   decade: first year of the decade of release; null when unknown
--   source: catalogue: the year is known; no year: the catalogue has none; not in the catalogue
--   plays: plays of such songs
--   songs: distinct songs, by logged title and artist name
--   percent: share of all plays
with logged_songs as (
    /*include logged_songs() */
),

dated as (
    select
        cast(floor(songs.year / 10.0) * 10 as integer) as decade,
        case
            when songs.year is not null then 'catalogue'
            when logged_songs.song_id is not null then 'no year'
            else 'not in the catalogue'
        end /*postgres collate "C" */ as source,
        logged_songs.song_title,
        logged_songs.artist_name,
        logged_songs.plays
    from logged_songs
    left join songs on songs.song_id = logged_songs.song_id
),

by_song as (
    select
        decade,
        source,
        song_title,
        artist_name,
        sum(plays) as plays
    from dated
    group by decade, source, song_title, artist_name
)

select
    decade,
    source,
    cast(sum(plays) as bigint) as plays,
    count(song_title) as songs,
    f_percent(sum(plays), (select sum(plays) from logged_songs)) as "percent"
from by_song
group by decade, source
order by decade nulls last, f_bytes(source);
