-- Temporary table that charts of the report page share: totals of each user.
create temp table page_user_totals as
/*include user_totals() */;
