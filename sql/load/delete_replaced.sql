-- Deletes the rows of objects that this load reads again.
delete from staging_events using scope_objects where staging_events.object_id = scope_objects.object_id;
delete from staging_songs using scope_objects where staging_songs.object_id = scope_objects.object_id;
delete from etl_rejects using scope_objects where etl_rejects.object_id = scope_objects.object_id;
delete from etl_objects using scope_objects where etl_objects.object_id = scope_objects.object_id;
