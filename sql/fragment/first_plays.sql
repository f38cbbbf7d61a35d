-- First play of each user, at any level, of all days.
-- shared: page_first_plays
select
    user_id,
    min(start_time) as first_play
from songplays
where user_id is not null
group by user_id
