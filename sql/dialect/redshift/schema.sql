-- Creates the schema of sparkify's tables.
create schema if not exists ":schema";
