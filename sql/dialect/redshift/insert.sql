-- A few rows that the program holds, into a table: their values stand behind this.
insert into ":table" values;
