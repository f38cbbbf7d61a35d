-- Creates the schema of sparkify's tables and UDFs.
create schema ":table";
