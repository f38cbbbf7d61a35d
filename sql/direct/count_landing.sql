-- Number of landed records.
select count(*) as rows_fetched from landing_:kind;
