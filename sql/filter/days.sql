-- First and last day with a play, of all plays.
select
    cast(min(start_time) as date) as first_day,
    cast(max(start_time) as date) as last_day
from songplays;
