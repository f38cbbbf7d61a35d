-- Loads rows from sparkify into a table: DuckDB reads them through a table function, with several
-- threads.
insert into ":table" select * from sparkify_rows();
