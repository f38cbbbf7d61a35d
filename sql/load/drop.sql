-- Drops every table of sparkify, each before the tables that it is made from.
drop table if exists time;
drop table if exists songplays;
drop table if exists user_levels;
drop table if exists users;
drop table if exists artists;
drop table if exists songs;
drop table if exists staging_songs;
drop table if exists staging_events;
drop table if exists etl_erasures;
drop table if exists etl_rejects;
drop table if exists etl_objects;
drop table if exists etl_loads;
drop table if exists etl_layout;
