-- The number of the last load, null before the first.
select max(load_id) as load_id from etl_loads;
