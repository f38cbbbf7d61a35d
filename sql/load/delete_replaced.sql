-- Deletes the rows that earlier loads staged from the objects that this load has read, or prunes.
delete from staging_events using scope_objects where staging_events.object_id = scope_objects.object_id and staging_events.load_id <> scope_objects.load_id and :within(touched_loads, staging_events.load_id);
delete from staging_songs using scope_objects where staging_songs.object_id = scope_objects.object_id and staging_songs.load_id <> scope_objects.load_id and :within(touched_loads, staging_songs.load_id);
delete from etl_rejects using scope_objects where etl_rejects.object_id = scope_objects.object_id and etl_rejects.load_id <> scope_objects.load_id and :within(touched_loads, etl_rejects.load_id);
delete from etl_objects using scope_objects where etl_objects.object_id = scope_objects.object_id and etl_objects.load_id <> scope_objects.load_id;
