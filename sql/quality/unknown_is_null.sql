-- claims: no empty location and no year 0 is left in the model
select 'songplays' as table_name, cast(songplay_id as varchar) as row_key
from songplays
where location = ''
union all
select 'artists', artist_id
from artists
where location = ''
union all
select 'songs', song_id
from songs
where year = 0;
