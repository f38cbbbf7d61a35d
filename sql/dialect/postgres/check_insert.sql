-- Fails early if rows cannot be inserted: needs the table, the privileges and the lock, and inserts
-- no row.
insert into ":table" select * from ":table" where false;
