-- How many slices there are to read files at the same time.
select count(*) as slices from stv_slices;
