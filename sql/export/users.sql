-- Every user.
select
    user_id,
    first_name,
    last_name,
    gender,
    level
from users
order by user_id;
