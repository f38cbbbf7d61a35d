-- test: `song_id` is unique in `songs`
select
    song_id,
    count(*) as copies
from songs
/*incremental join scope_songs using (song_id) */
group by song_id
having count(*) > 1;
