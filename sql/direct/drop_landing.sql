-- Drops the landing tables.
drop table if exists landing_events;
drop table if exists landing_songs;
drop table if exists landing_repairs;
