-- The schema of our tables, before anything is in it.
create schema if not exists ":schema";
