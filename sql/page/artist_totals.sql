-- Temporary table that charts of the report page share: totals of each artist.
create temp table page_artist_totals as
/*include artist_totals() */;
