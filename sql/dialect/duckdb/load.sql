-- Rows that the program holds, into a table: DuckDB pulls them through a table function, from several threads.
insert into ":table" select * from sparkify_rows();
