-- Temporary table that charts of the report page share: first play of each user.
create temp table page_first_plays as
/*include first_plays() */;
