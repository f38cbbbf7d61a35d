-- claims: each logged-in user of staging is in `users`, and no other
with staged as (
    select distinct user_id
    from staging_events
    where user_id is not null
)

select
    staged.user_id as staged_user,
    users.user_id as model_user
from staged
full join users on users.user_id = staged.user_id
where staged.user_id is null or users.user_id is null;
