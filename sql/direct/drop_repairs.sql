-- Drops the table of repaired texts.
drop table landing_repairs;
