-- test: each `user_id` of `user_levels` is in `users`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
select
    user_levels.user_id,
    user_levels.level
from user_levels
/*incremental join scope_users using (user_id) */
left join users on users.user_id = user_levels.user_id /*redshift + 0 */
where users.user_id is null;
