-- Sets the texts of events right that had been encoded twice: a statement a key, in the order of the keys.
update landing_events set artist = landing_repairs.meant from landing_repairs where f_bytes(landing_events.artist) = f_bytes(landing_repairs.damaged);
update landing_events set auth = landing_repairs.meant from landing_repairs where f_bytes(landing_events.auth) = f_bytes(landing_repairs.damaged);
update landing_events set firstname = landing_repairs.meant from landing_repairs where f_bytes(landing_events.firstname) = f_bytes(landing_repairs.damaged);
update landing_events set gender = landing_repairs.meant from landing_repairs where f_bytes(landing_events.gender) = f_bytes(landing_repairs.damaged);
update landing_events set lastname = landing_repairs.meant from landing_repairs where f_bytes(landing_events.lastname) = f_bytes(landing_repairs.damaged);
update landing_events set level = landing_repairs.meant from landing_repairs where f_bytes(landing_events.level) = f_bytes(landing_repairs.damaged);
update landing_events set location = landing_repairs.meant from landing_repairs where f_bytes(landing_events.location) = f_bytes(landing_repairs.damaged);
update landing_events set method = landing_repairs.meant from landing_repairs where f_bytes(landing_events.method) = f_bytes(landing_repairs.damaged);
update landing_events set page = landing_repairs.meant from landing_repairs where f_bytes(landing_events.page) = f_bytes(landing_repairs.damaged);
update landing_events set song = landing_repairs.meant from landing_repairs where f_bytes(landing_events.song) = f_bytes(landing_repairs.damaged);
update landing_events set useragent = landing_repairs.meant from landing_repairs where f_bytes(landing_events.useragent) = f_bytes(landing_repairs.damaged);
