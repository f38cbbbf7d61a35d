-- test: no key column and no required column of the model is null
-- A load cannot insert a null into `time`, whose key is required, so only `check` searches it.
select 'songplays' as table_name, cast(songplay_id as varchar) as row_key
from songplays /*incremental= scope_facts as songplays */
where songplay_id is null or start_time is null or session_id is null or item_in_session is null
union all
select 'users', cast(user_id as varchar)
from users
where user_id is null
union all
select 'user_levels', cast(user_id as varchar)
from user_levels
where user_id is null or level is null or valid_from is null or is_current is null
union all
select 'songs', song_id
from songs
where song_id is null or title is null or artist_id is null or duration is null
union all
select 'artists', artist_id
from artists
where artist_id is null or name is null
union all
select 'time', cast(start_time as varchar)
from time
where start_time is null /*incremental and 1 = 0 */;
