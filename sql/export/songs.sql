-- Every song of the catalogue.
select
    song_id,
    title,
    artist_id,
    year,
    duration
from songs
order by f_bytes(song_id);
