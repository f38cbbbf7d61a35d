-- screen: plays_have_their_song, plays_have_their_artist, match_is_whole
-- Plays have few different matches, so these are looked up instead of plays. A column is 0 only if the
-- test of its name passes.
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
with matches as /*duckdb materialized */ (
    select
        song_id,
        artist_id,
        match_method
    from songplays
    group by song_id, artist_id, match_method
)

select
    (
        select count(*)
        from matches
        left join songs on songs.song_id = matches.song_id /*redshift || '' */
        where matches.song_id is not null and songs.song_id is null
    ) as plays_have_their_song,
    (
        select count(*)
        from matches
        left join artists on artists.artist_id = matches.artist_id /*redshift || '' */
        where matches.artist_id is not null and artists.artist_id is null
    ) as plays_have_their_artist,
    (
        select count(*)
        from matches
        where (song_id is null and (artist_id is not null or match_method is not null))
            or (song_id is not null and (artist_id is null or match_method is null))
            or match_method not in ('exact', 'title_artist')
    ) as match_is_whole;
