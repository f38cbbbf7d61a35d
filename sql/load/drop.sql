-- Every table of ours; the order is that of no rows left behind without their source.
drop table if exists time;
drop table if exists songplays;
drop table if exists user_levels;
drop table if exists users;
drop table if exists artists;
drop table if exists songs;
drop table if exists staging_songs;
drop table if exists staging_events;
drop table if exists etl_rejects;
drop table if exists etl_objects;
drop table if exists etl_loads;
