-- Number of slices, which read files in parallel.
select count(*) as slices from stv_slices;
