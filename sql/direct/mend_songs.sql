-- Sets the texts of song records right that had been encoded twice: a statement a key, in the order of the keys.
update landing_songs set artist_id = landing_repairs.meant from landing_repairs where f_bytes(landing_songs.artist_id) = f_bytes(landing_repairs.damaged);
update landing_songs set artist_location = landing_repairs.meant from landing_repairs where f_bytes(landing_songs.artist_location) = f_bytes(landing_repairs.damaged);
update landing_songs set artist_name = landing_repairs.meant from landing_repairs where f_bytes(landing_songs.artist_name) = f_bytes(landing_repairs.damaged);
update landing_songs set song_id = landing_repairs.meant from landing_repairs where f_bytes(landing_songs.song_id) = f_bytes(landing_repairs.damaged);
update landing_songs set title = landing_repairs.meant from landing_repairs where f_bytes(landing_songs.title) = f_bytes(landing_repairs.damaged);
