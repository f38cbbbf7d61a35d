-- Rewrites the tables that held rows of an erased person, so that no deleted row is left in their
-- files.
vacuum (full, analyze) staging_events;
vacuum (full, analyze) songplays;
vacuum (full, analyze) users;
vacuum (full, analyze) user_levels;
vacuum (full, analyze) "time";
vacuum (full, analyze) etl_rejects;
vacuum (full, analyze) etl_loads;
