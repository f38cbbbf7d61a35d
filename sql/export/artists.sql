-- Every artist.
select
    artist_id,
    name,
    location,
    latitude,
    longitude
from artists
order by f_bytes(artist_id);
