-- Temporary table that charts of the report page share: plays by location, browser and user.
create temp table page_user_places as
/*include user_places() */;
