-- Temporary table that charts of the report page share: locations with a number.
create temp table page_numbered_locations as
/*include numbered_locations() */;
