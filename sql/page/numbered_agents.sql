-- Temporary table that charts of the report page share: User-Agent headers with a number.
create temp table page_numbered_agents as
/*include numbered_agents() */;
