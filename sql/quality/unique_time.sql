-- claims: `start_time` is the key of `time`: no two rows share it
select
    start_time,
    count(*) as copies
from time
/*incremental join scope_times using (start_time) */
group by start_time
having count(*) > 1;
