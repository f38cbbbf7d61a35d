-- Plays at position $2 of session $1: one, unless users or times differ.
select cast(songplay_id as varchar) as songplay_id
from songplays
where session_id = cast($1 as bigint) and item_in_session = cast($2 as bigint)
order by start_time, user_id nulls last;
