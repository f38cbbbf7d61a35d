-- Every row of one table; its columns are found by name.
select * from ":table";
