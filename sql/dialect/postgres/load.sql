-- Rows that the program holds, into a table.
copy ":table" from stdin (format binary);
