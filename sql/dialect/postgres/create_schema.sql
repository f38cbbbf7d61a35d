-- The schema of our tables.
create schema ":table";
