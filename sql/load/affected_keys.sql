-- Records the keys of the rows that this load's objects have in staging: those of earlier versions,
-- which are deleted next, and the new ones. :within is described in sql/README.md.
insert into touched_events
select
    session_id,
    item_in_session,
    ts,
    user_id,
    page,
    staging_events.load_id = scope_objects.load_id
from staging_events
join scope_objects using (object_id)
where :within(touched_loads, staging_events.load_id);

insert into touched_songs
select
    song_id,
    artist_id,
    title,
    artist_name
from staging_songs
join scope_objects using (object_id)
where :within(touched_loads, staging_songs.load_id);
