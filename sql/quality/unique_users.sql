-- test: `user_id` is unique in `users`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
select
    user_id /*redshift + 0 as user_id */,
    count(*) as copies
from users
/*incremental join scope_users using (user_id) */
group by user_id /*redshift + 0 */
having count(*) > 1;
