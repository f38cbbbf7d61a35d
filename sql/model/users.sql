-- One user, as of the user's latest event.
-- grain: one user_id; source: staging_events of every page
-- rule: the latest event by (ts, session_id, item_in_session); among equals, the first by (level, first_name, last_name, gender)
-- key: user_id
-- from:
--   user_id: staging_events.user_id
--   first_name: staging_events.first_name
--   last_name: staging_events.last_name
--   gender: staging_events.gender
--   level: staging_events.level
create table if not exists users (
    user_id bigint /*redshift encode raw */ not null, -- key
    first_name short_text, -- as last logged
    last_name short_text, -- as last logged
    gender label, -- as last logged
    level label -- free or paid, as last logged
    -- redshift: on the node of the same user's plays
) /*redshift distkey(user_id) sortkey(user_id) */;

delete from users /*incremental using scope_users where users.user_id = scope_users.user_id */;

insert into users
with latest as (
    select
        user_id,
        max(ts) as ts
    from staging_events
    /*incremental join scope_users using (user_id) */
    where user_id is not null /*incremental and :within(latest_events, ts) */
    group by user_id
),

ranked as (
    select
        e.user_id,
        e.first_name,
        e.last_name,
        e.gender,
        e.level,
        row_number() over (
            partition by e.user_id
            order by
                e.session_id desc,
                e.item_in_session desc,
                f_bytes(e.level) nulls last,
                f_bytes(e.first_name) nulls last,
                f_bytes(e.last_name) nulls last,
                f_bytes(e.gender) nulls last
        ) as place
    from staging_events as e
    join latest on latest.user_id = e.user_id and latest.ts = e.ts
    /*incremental where :within(latest_events, e.ts) */
)

select
    user_id,
    first_name,
    last_name,
    gender,
    level
from ranked
where place = 1;
