-- test: each `song_id` of `songplays` is in `songs`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
select
    songplays.songplay_id,
    songplays.song_id
from songplays /*incremental= scope_facts as songplays */
left join songs on songs.song_id = songplays.song_id /*redshift || '' */
where songplays.song_id is not null and songs.song_id is null;
