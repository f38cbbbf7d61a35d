-- test: `artist_id` is unique in `artists`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
select
    artist_id /*redshift || '' as artist_id */,
    count(*) as copies
from artists
/*incremental join scope_artists using (artist_id) */
group by artist_id /*redshift || '' */
having count(*) > 1;
