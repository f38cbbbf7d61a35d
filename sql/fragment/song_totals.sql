-- Totals of each song, by logged title and artist name, of the filtered plays. Grouping by user
-- first is cheaper than counting distinct users.
-- shared: page_song_totals
select
    totals.song_title,
    totals.artist_name,
    totals.plays,
    by_song.listeners,
    totals.hours,
    totals.in_catalogue
from (
    /*include numbered_songs() */
) as totals
join (
    select
        song,
        count(user_id) as listeners
    from (
        select
            numbered.song,
            songplays.user_id
        from songplays
        join (
            /*include numbered_songs() */
        ) as numbered
            on numbered.song_title = songplays.song_title
            and (numbered.artist_name = songplays.artist_name or (numbered.artist_name is null and songplays.artist_name is null))
        where /*include in_days(songplays.start_time) */
            and /*include at_level(songplays.level) */
        group by numbered.song, songplays.user_id
    ) as pairs
    group by song
) as by_song on by_song.song = totals.song
