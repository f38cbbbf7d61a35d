-- test: each `user_id` of `user_levels` is in `users`
select
    user_levels.user_id,
    user_levels.level
from user_levels
/*incremental join scope_users using (user_id) */
left join users on users.user_id = user_levels.user_id
where users.user_id is null;
