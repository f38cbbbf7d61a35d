-- claims: `user_id` is the key of `users`: no two rows share it
select
    user_id,
    count(*) as copies
from users
group by user_id
having count(*) > 1;
