-- Temporary table that charts of the report page share: plays of each session.
create temp table page_session_totals as
/*include session_totals() */;
