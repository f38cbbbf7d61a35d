-- question: which songs are played most?
select
    song_title,
    artist_name,
    count(*) as plays,
    count(distinct user_id) as listeners,
    round(sum(length) / 3600.0, 2) as hours
from songplays
group by song_title, artist_name
order by plays desc, f_bytes(song_title), f_bytes(artist_name)
limit 10;
