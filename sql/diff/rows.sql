-- Every row of one table; the columns are told apart by their names.
select * from ":table";
