-- question: on which day of the week (0 is Sunday) do people listen?
select
    time.weekday,
    count(*) as plays
from songplays
join time on time.start_time = songplays.start_time
group by time.weekday
order by time.weekday;
