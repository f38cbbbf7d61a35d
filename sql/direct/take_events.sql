-- The events that were fetched into staging, read by the load $1, under the number $2 of their group.
insert into staging_events (
    artist,
    auth,
    first_name,
    gender,
    item_in_session,
    last_name,
    length,
    level,
    location,
    method,
    page,
    registration,
    session_id,
    song,
    status,
    ts,
    user_agent,
    user_id,
    load_id,
    object_id,
    byte_offset
)
select
    artist,
    auth,
    firstname,
    gender,
    iteminsession,
    lastname,
    length,
    level,
    location,
    method,
    page,
    registration,
    sessionid,
    song,
    status,
    ts,
    useragent,
    userid,
    cast($1 as bigint),
    cast($2 as bigint),
    running
from landing_events
where page is not null
    and sessionid is not null
    and iteminsession is not null
    and ts between -62135596800000 and 253402300799999;
