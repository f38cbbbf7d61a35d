-- How many texts of song records had been encoded twice, by the place of their key among those of texts.
select 0 as place, count(*) as repairs
from landing_songs
join landing_repairs on f_bytes(landing_songs.artist_id) = f_bytes(landing_repairs.damaged)
union all
select 1, count(*)
from landing_songs
join landing_repairs on f_bytes(landing_songs.artist_location) = f_bytes(landing_repairs.damaged)
union all
select 2, count(*)
from landing_songs
join landing_repairs on f_bytes(landing_songs.artist_name) = f_bytes(landing_repairs.damaged)
union all
select 3, count(*)
from landing_songs
join landing_repairs on f_bytes(landing_songs.song_id) = f_bytes(landing_repairs.damaged)
union all
select 4, count(*)
from landing_songs
join landing_repairs on f_bytes(landing_songs.title) = f_bytes(landing_repairs.damaged);
