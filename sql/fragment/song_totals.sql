-- Totals of each song, by logged title and artist name, of the filtered plays. Grouping by user
-- first is cheaper than counting distinct users.
-- shared: page_song_totals
select
    song_title,
    artist_name,
    cast(sum(plays) as bigint) as plays,
    count(user_id) as listeners,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    cast(sum(matched) as bigint) as in_catalogue
from (
    select
        song_title,
        artist_name,
        user_id,
        count(*) as plays,
        sum(/*include listened(length) */) as seconds,
        count(song_id) as matched
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
        and song_title is not null
    group by song_title, artist_name, user_id
) as by_user
group by song_title, artist_name
