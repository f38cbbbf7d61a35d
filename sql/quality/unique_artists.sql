-- claims: `artist_id` is the key of `artists`: no two rows share it
select
    artist_id,
    count(*) as copies
from artists
/*incremental join scope_artists using (artist_id) */
group by artist_id
having count(*) > 1;
