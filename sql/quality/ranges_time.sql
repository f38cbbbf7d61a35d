-- test: date parts of `time` are in range
select *
from time
/*incremental join scope_times using (start_time) */
where (
        hour not between 0 and 23
        or day not between 1 and 31
        or week not between 1 and 53
        or month not between 1 and 12
        or weekday not between 0 and 6
    )
    /*incremental and :within_times(touched_plays, time.start_time) */;
