-- Removes the deleted rows of an erased person from the blocks of the tables
-- (DG/r_VACUUM_command.html).
vacuum delete only staging_events to 100 percent;
vacuum delete only songplays to 100 percent;
vacuum delete only users to 100 percent;
vacuum delete only user_levels to 100 percent;
vacuum delete only "time" to 100 percent;
vacuum delete only etl_rejects to 100 percent;
vacuum delete only etl_loads to 100 percent;
