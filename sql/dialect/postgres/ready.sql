-- Asks for everything that rows into a table take, and brings none: the table, the rights, its lock.
insert into ":table" select * from ":table" where false;
