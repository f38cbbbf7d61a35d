-- Every staged event of play $1: its lineage, then its staged columns.
-- rule: the copy that the play was made from comes first (the order of songplays); among equal copies the one loaded first
select
    /*include lineage_columns(e) */,
    /*each column separated by ,*/e.:column/*end*/
from songplays as p
join staging_events as e
    on e.session_id = p.session_id
    and e.item_in_session = p.item_in_session
    and f_epoch_ms(e.ts) = p.start_time
    and f_same(e.user_id, p.user_id)
/*include lineage_joins(e) */
where p.songplay_id = /*include as_songplay_id() */ and e.page = 'NextSong'
order by
    f_bytes(e.song) nulls last,
    f_bytes(e.artist) nulls last,
    e.length nulls last,
    f_bytes(e.level) nulls last,
    f_bytes(e.location) nulls last,
    f_bytes(e.user_agent) nulls last,
    e.load_id,
    e.object_id,
    e.byte_offset;
