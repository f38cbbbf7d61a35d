-- Deletes the rows that this load staged from objects that it did not read to their end, and
-- empties the list of these objects.
delete from staging_events using scope_objects where staging_events.object_id = scope_objects.object_id and staging_events.load_id = scope_objects.load_id;
delete from staging_songs using scope_objects where staging_songs.object_id = scope_objects.object_id and staging_songs.load_id = scope_objects.load_id;
delete from scope_objects;
