-- Drops a temporary table that no further chart needs, so that the next ones have its memory.
drop table ":table";
