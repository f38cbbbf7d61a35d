-- claims: `songplay_id` is the key of `songplays`: no two rows share it
select
    songplay_id,
    count(*) as copies
from songplays
/*incremental join scope_plays using (session_id, item_in_session) */
group by songplay_id
having count(*) > 1;
