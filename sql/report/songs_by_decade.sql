-- query: from which decades are the songs that people play?
-- parameters: since, until, level
-- covers songs: plays that match the catalogue; other plays are counted as `not in the catalogue`
-- columns:
--   decade: first year of the decade of release; null when unknown
--   source: catalogue: the year is known; no year: the catalogue has none; not in the catalogue
--   plays: plays of such songs
--   songs: distinct songs, by logged title and artist name
--   percent: share of all plays
with plays as (
    select
        cast(floor(songs.year / 10.0) * 10 as integer) as decade,
        case
            when songs.year is not null then 'catalogue'
            when songplays.song_id is not null then 'no year'
            else 'not in the catalogue'
        end /*postgres collate "C" */ as source,
        songplays.song_title,
        songplays.artist_name
    from songplays
    left join songs on songs.song_id = songplays.song_id
    where /*include in_days(songplays.start_time) */
        and /*include at_level(songplays.level) */
),

by_song as (
    select
        decade,
        source,
        song_title,
        artist_name,
        count(*) as plays
    from plays
    group by decade, source, song_title, artist_name
)

select
    decade,
    source,
    cast(sum(plays) as bigint) as plays,
    count(song_title) as songs,
    f_percent(sum(plays), (select count(*) from plays)) as "percent"
from by_song
group by decade, source
order by decade nulls last, f_bytes(source);
