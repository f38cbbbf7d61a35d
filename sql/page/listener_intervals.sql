-- Temporary table that charts of the report page share: plays by the day before of the user.
create temp table page_listener_intervals as
/*include listener_intervals($3) */;
