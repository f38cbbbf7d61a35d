-- Every start time of plays.
select
    start_time,
    hour,
    day,
    week,
    month,
    year,
    weekday
from time
order by start_time;
