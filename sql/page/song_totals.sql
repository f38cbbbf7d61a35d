-- Temporary table that charts of the report page share: totals of each song.
create temp table page_song_totals as
/*include song_totals() */;
