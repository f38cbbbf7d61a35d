-- Totals of each logged song with a title, and a number, by which counting users is cheaper than by
-- title and artist name. The number is the same wherever this fragment is included.
-- shared: page_numbered_songs
select
    song_title,
    artist_name,
    row_number() over (order by f_bytes(song_title), f_bytes(artist_name) nulls last) as song,
    cast(sum(plays) as bigint) as plays,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    cast(sum(case when song_id is not null then plays else 0 end) as bigint) as in_catalogue
from (
    /*include logged_songs() */
) as logged_songs
where song_title is not null
group by song_title, artist_name
