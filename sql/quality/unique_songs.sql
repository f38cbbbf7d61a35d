-- claims: `song_id` is the key of `songs`: no two rows share it
select
    song_id,
    count(*) as copies
from songs
/*incremental join scope_songs using (song_id) */
group by song_id
having count(*) > 1;
