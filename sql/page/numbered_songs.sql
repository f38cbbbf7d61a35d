-- Temporary table that charts of the report page share: songs with a number.
create temp table page_numbered_songs as
/*include numbered_songs() */;
