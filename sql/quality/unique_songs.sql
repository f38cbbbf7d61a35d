-- test: `song_id` is unique in `songs`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
select
    song_id /*redshift || '' as song_id */,
    count(*) as copies
from songs
/*incremental join scope_songs using (song_id) */
group by song_id /*redshift || '' */
having count(*) > 1;
