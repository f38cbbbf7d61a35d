-- Memory of one sort or join of a load before it spills to disk.
select set_config('work_mem', cast($1 as varchar), false) as work_mem;
