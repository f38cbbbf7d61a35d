-- Inserts a few rows from sparkify into a table; their values are appended.
insert into ":table" values;
