-- Temporary table that charts of the report page share: plays by day, hour, level and match.
create temp table page_play_hours as
/*include play_hours() */;
