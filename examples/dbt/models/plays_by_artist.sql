-- One row per artist of the catalogue that was played.
select
    artists.artist_id,
    artists.name as artist_name,
    count(*) as plays,
    count(distinct songplays.user_id) as listeners
from {{ source('sparkify', 'songplays') }} as songplays
inner join {{ source('sparkify', 'artists') }} as artists on artists.artist_id = songplays.artist_id
group by artists.artist_id, artists.name
