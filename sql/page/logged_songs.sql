-- Temporary table that charts of the report page share: plays of each logged song.
create temp table page_logged_songs as
/*include logged_songs() */;
