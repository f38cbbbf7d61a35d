-- Every catalogue record of the song of play $1: its lineage, then its staged columns.
-- rule: the record that the play was matched to comes first (the order of songplays); among equal records the one loaded first
select
    /*include lineage_columns(s) */,
    /*each column separated by ,*/s.:column/*end*/
from songplays as p
join staging_songs as s
    on s.song_id = p.song_id and s.title = p.song_title and s.artist_name = p.artist_name
/*include lineage_joins(s) */
where p.songplay_id = /*include as_songplay_id() */
order by
    abs(s.duration - p.length) nulls last,
    f_bytes(s.artist_id),
    s.load_id,
    s.object_id,
    s.byte_offset;
