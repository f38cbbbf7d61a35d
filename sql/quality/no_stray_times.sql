-- claims: each `start_time` of `time` is that of a play
with played as (
    select distinct start_time
    from songplays
    /*incremental join scope_times using (start_time) */
)

select time.start_time
from time
/*incremental join scope_times using (start_time) */
left join played on played.start_time = time.start_time
where played.start_time is null;
