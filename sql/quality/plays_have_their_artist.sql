-- test: each `artist_id` of `songplays` is in `artists`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
select
    songplays.songplay_id,
    songplays.artist_id
from songplays /*incremental= scope_facts as songplays */
left join artists on artists.artist_id = songplays.artist_id /*redshift || '' */
where songplays.artist_id is not null and artists.artist_id is null;
