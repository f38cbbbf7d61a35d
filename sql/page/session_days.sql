-- Temporary table that charts of the report page share: plays of a session on a day.
create temp table page_session_days as
/*include session_days($3) */;
