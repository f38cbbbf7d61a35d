-- Records the keys of the rows that this load's objects have in staging: those of earlier versions,
-- which are deleted next, and the new ones.
insert into touched_events
select
    session_id,
    item_in_session,
    ts,
    user_id,
    page
from staging_events
join scope_objects using (object_id);

insert into touched_songs
select
    song_id,
    artist_id,
    title,
    artist_name
from staging_songs
join scope_objects using (object_id);
