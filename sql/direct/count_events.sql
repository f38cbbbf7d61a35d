-- How many events were fetched.
select count(*) as rows_fetched from landing_events;
