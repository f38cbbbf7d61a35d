-- question: from which decades are the songs that people play?
-- parameters: since, until, level
-- covers songs: plays that match the catalogue; the rest are counted as such
-- columns:
--   decade: first year of the decade of release; null when unknown
--   source: catalogue: the year is known; no year: the catalogue lacks it; not in the catalogue
--   plays: plays of such songs
--   songs: different songs, by logged title and artist name
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
    where (cast($1 as timestamp) is null or songplays.start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or songplays.start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or songplays.level = cast($3 as varchar))
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
