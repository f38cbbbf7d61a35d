-- test: a play has a song, an artist and a match method, or none of them
select
    songplay_id,
    song_id,
    artist_id,
    match_method
from songplays /*incremental= scope_facts as songplays */
where (song_id is null and (artist_id is not null or match_method is not null))
    or (song_id is not null and (artist_id is null or match_method is null))
    or match_method not in ('exact', 'title_artist');
