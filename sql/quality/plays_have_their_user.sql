-- test: each `user_id` of `songplays` is in `users`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
select
    songplays.songplay_id,
    songplays.user_id
from songplays /*incremental= scope_facts as songplays */
left join users on users.user_id = songplays.user_id /*redshift + 0 */
where songplays.user_id is not null and users.user_id is null;
