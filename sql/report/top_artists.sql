-- question: which artists are played most?
select
    artist_name,
    count(*) as plays,
    count(distinct song_title) as songs,
    count(distinct user_id) as listeners,
    round(sum(length) / 3600.0, 2) as hours
from songplays
group by artist_name
order by plays desc, f_bytes(artist_name)
limit 10;
