-- Records the keys of the rows of user $1.
insert into touched_events
select
    session_id,
    item_in_session,
    ts,
    user_id,
    page,
    1 = 0
from staging_events
where user_id = cast($1 as bigint);
