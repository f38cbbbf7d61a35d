-- claims: each `start_time` of `songplays` is in `time`
select
    songplays.songplay_id,
    songplays.start_time
from songplays
/*incremental join scope_plays using (session_id, item_in_session) */
left join time on time.start_time = songplays.start_time
where songplays.start_time is not null and time.start_time is null;
