-- test: `artist_id` is unique in `artists`
select
    artist_id,
    count(*) as copies
from artists
/*incremental join scope_artists using (artist_id) */
group by artist_id
having count(*) > 1;
