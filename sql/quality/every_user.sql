-- test: `users` holds exactly the logged-in users of staging
with staged as (
    select distinct user_id
    from staging_events
    /*incremental join scope_users using (user_id) */
    where user_id is not null /*incremental and :within(latest_events, ts) */
),

modelled as (
    select user_id
    from users
    /*incremental join scope_users using (user_id) */
)

select
    staged.user_id as staged_user,
    modelled.user_id as model_user
from staged
full join modelled on modelled.user_id = staged.user_id
where staged.user_id is null or modelled.user_id is null;
