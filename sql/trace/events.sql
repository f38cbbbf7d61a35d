-- Every staged event of the play $1: where it came from, then what was staged.
-- rule: the copy that the play was made from comes first (the order of songplays); among equal copies the one that was loaded first
select
    e.load_id,
    l.started_at,
    o.object_key,
    o.size_bytes,
    o.etag,
    o.fingerprint,
    e.byte_offset,
    g.members,
    e.artist,
    e.auth,
    e.first_name,
    e.gender,
    e.item_in_session,
    e.last_name,
    e.length,
    e.level,
    e.location,
    e.method,
    e.page,
    e.registration,
    e.session_id,
    e.song,
    e.status,
    e.ts,
    e.user_agent,
    e.user_id
from songplays as p
join staging_events as e
    on e.session_id = p.session_id
    and e.item_in_session = p.item_in_session
    and f_epoch_ms(e.ts) = p.start_time
    and f_same(e.user_id, p.user_id)
join etl_objects as o on o.object_id = e.object_id
left join (
    select group_id, count(*) as members
    from etl_objects
    group by group_id
) as g on g.group_id = o.group_id
join etl_loads as l on l.load_id = e.load_id
where p.songplay_id = cast(cast($1 as varchar) as uuid /*redshift= char(36) */) and e.page = 'NextSong'
order by
    f_bytes(e.song) nulls last,
    f_bytes(e.artist) nulls last,
    e.length nulls last,
    f_bytes(e.level) nulls last,
    f_bytes(e.location) nulls last,
    f_bytes(e.user_agent) nulls last,
    e.load_id,
    e.object_id,
    e.byte_offset;
