-- Drops the temporary tables of a load. Only tables that this load created are dropped: `if exists`
-- would drop a table of the user with the same name.
drop table scope_objects;
drop table touched_events;
drop table touched_songs;
