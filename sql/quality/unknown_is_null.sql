-- test: unknown values are null in the model: no empty location, no year 0
select 'songplays' as table_name, cast(songplay_id as varchar) as row_key
from songplays /*incremental= scope_facts as songplays */
where location = ''
union all
select 'artists', artist_id
from artists
/*incremental join scope_artists using (artist_id) */
where location = ''
union all
select 'songs', song_id
from songs
/*incremental join scope_songs using (song_id) */
where year = 0;
