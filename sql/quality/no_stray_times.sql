-- claims: each `start_time` of `time` is that of a play
select time.start_time
from time
left join songplays on songplays.start_time = time.start_time
where songplays.start_time is null;
