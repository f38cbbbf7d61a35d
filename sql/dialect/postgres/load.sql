-- Loads rows from sparkify into a table.
copy ":table" from stdin (format binary);
