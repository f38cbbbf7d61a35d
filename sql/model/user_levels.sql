-- One period during which a user had one level (type 2 slowly changing dimension).
-- grain: one change of level; source: staging_events of every page that have a level
-- rule: events by (ts, session_id, item_in_session, level); a span runs from its first event to the first event of the next level; the last span is open
-- incremental: spans that ended before the user's first affected event are kept; the span that was open then is continued
-- key: user_id, valid_from, valid_to, level
-- from:
--   user_id: staging_events.user_id
--   level: staging_events.level
--   valid_from: staging_events.ts
--   valid_to: staging_events.ts of the next span
--   is_current: staging_events.ts: true if no span is later
create table if not exists user_levels (
    user_id bigint /*redshift encode raw */ not null, -- in users
    level label not null, -- free or paid
    valid_from timestamp not null, -- UTC, of the span's first event, inclusive
    valid_to timestamp, -- UTC, of the next span's first event, exclusive; null while current
    is_current boolean not null -- true for the user's last span
    -- redshift: on the user's node, in the order in which the spans of a user are read
) /*redshift distkey(user_id) sortkey(user_id, valid_from) */;

delete from user_levels /*incremental using scope_users where user_levels.user_id = scope_users.user_id and (user_levels.valid_to is null or user_levels.valid_to >= f_epoch_ms(scope_users.since)) */;

insert into user_levels
with events as /*duckdb not materialized *//*postgres not materialized */ (
    select
        user_id,
        level,
        ts,
        session_id,
        item_in_session
    from staging_events
    /*incremental join scope_users using (user_id) */
    where user_id is not null and level is not null
    /*incremental and ts >= since and :within(since_touched, ts)
    union all
    select user_id, level, ts, null, null from scope_levels */
),

-- Most users never change their level: they have one span, found without ordering their events.
steady as (
    select
        user_id,
        min(level) as level,
        min(ts) as ts
    from events
    group by user_id
    having min(f_bytes(level)) = max(f_bytes(level))
),

followed as (
    select
        events.user_id,
        events.level,
        events.ts,
        events.session_id,
        events.item_in_session,
        lag(events.level) over (
            partition by events.user_id
            order by events.ts, events.session_id, events.item_in_session, f_bytes(events.level)
        ) as level_before
    from events
    left join steady on steady.user_id = events.user_id
    where steady.user_id is null
),

spans as (
    select
        user_id,
        level,
        ts,
        lead(ts) over (partition by user_id order by ts, session_id, item_in_session, f_bytes(level)) as ts_after
    from followed
    where level_before is null or level_before <> level
    union all
    select
        user_id,
        level,
        ts,
        null
    from steady
)

select
    user_id,
    level,
    f_epoch_ms(ts) as valid_from,
    f_epoch_ms(ts_after) as valid_to,
    ts_after is null as is_current
from spans;
