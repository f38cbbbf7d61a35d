-- How many song records were fetched.
select count(*) as rows_fetched from landing_songs;
