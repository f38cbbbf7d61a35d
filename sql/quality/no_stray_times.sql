-- test: each `start_time` of `time` is in `songplays`
with played as (
    select songplays.start_time
    from songplays
    /*incremental join scope_times on scope_times.start_time = songplays.start_time */
)

select time.start_time
from time
/*incremental join scope_times using (start_time) */
where not exists (select 1 from played where played.start_time = time.start_time);
