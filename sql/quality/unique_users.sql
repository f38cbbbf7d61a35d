-- test: `user_id` is unique in `users`
select
    user_id,
    count(*) as copies
from users
/*incremental join scope_users using (user_id) */
group by user_id
having count(*) > 1;
