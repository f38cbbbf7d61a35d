-- Temporary table that charts of the report page share: plays by the day before in the session.
create temp table page_session_intervals as
/*include session_intervals() */;
