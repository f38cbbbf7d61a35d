-- Filtered plays of each song, by logged title and artist name and by matched song.
-- shared: page_logged_songs
select
    song_title,
    artist_name,
    song_id,
    count(*) as plays,
    sum(/*include listened(length) */) as seconds
from songplays
where /*include in_days(start_time) */
    and /*include at_level(level) */
group by song_title, artist_name, song_id
