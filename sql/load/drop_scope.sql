-- Drops the temporary tables of the affected keys, after an incremental load.
drop table scope_plays;
drop table scope_days;
drop table scope_facts;
drop table scope_users;
drop table scope_levels;
drop table scope_songs;
drop table scope_artists;
drop table scope_times;
