-- Drops the temporary tables of a load.
drop table if exists scope_objects;
drop table if exists touched_events;
drop table if exists touched_songs;
drop table if exists scope_plays;
drop table if exists scope_users;
drop table if exists scope_levels;
drop table if exists scope_songs;
drop table if exists scope_artists;
drop table if exists scope_times;
