-- Every record of the catalogue that says the song of the play $1: where it came from, then what was staged.
-- rule: the record that the play was matched to comes first (the order of songplays); among equal records the one that was loaded first
select
    s.load_id,
    l.started_at,
    o.object_key,
    o.size_bytes,
    o.etag,
    o.fingerprint,
    s.byte_offset,
    g.members,
    s.num_songs,
    s.artist_id,
    s.artist_latitude,
    s.artist_longitude,
    s.artist_location,
    s.artist_name,
    s.song_id,
    s.title,
    s.duration,
    s.year
from songplays as p
join staging_songs as s
    on s.song_id = p.song_id and s.title = p.song_title and s.artist_name = p.artist_name
join etl_objects as o on o.object_id = s.object_id
left join (
    select group_id, count(*) as members
    from etl_objects
    group by group_id
) as g on g.group_id = o.group_id
join etl_loads as l on l.load_id = s.load_id
where p.songplay_id = cast(cast($1 as varchar) as uuid /*redshift= char(36) */)
order by
    abs(s.duration - p.length) nulls last,
    f_bytes(s.artist_id),
    s.load_id,
    s.object_id,
    s.byte_offset;
