-- query: what are the totals, in one row?
-- parameters: since, until, level
-- covers songs: every play, by its logged title
-- columns:
--   plays: plays in the range
--   listeners: users who played, excluding guests
--   guest_plays: plays by users who were not logged in
--   sessions: sessions with a play
--   songs: distinct songs, by logged title and artist name
--   artists: distinct artists, by logged name
--   hours: sum of the lengths of the songs played
--   first_play: start of the first play, UTC
--   last_play: start of the last play, UTC
--   matched_percent: share of plays whose song is in the catalogue
with logged_songs as (
    /*include logged_songs() */
),

songs as (
    select
        song_title,
        artist_name
    from logged_songs
    group by song_title, artist_name
),

user_totals as (
    /*include user_totals() */
)

select
    count(*) as plays,
    (select count(user_id) from user_totals) as listeners,
    count(*) - count(user_id) as guest_plays,
    cast((select coalesce(sum(sessions), 0) from user_totals) as bigint) as sessions,
    (select count(song_title) from songs) as songs,
    (select count(distinct artist_name) from songs) as artists,
    f_round(coalesce(sum(/*include listened(length) */), 0) / 3600) as hours,
    min(start_time) as first_play,
    max(start_time) as last_play,
    f_percent(count(song_id), count(*)) as matched_percent
from songplays
where /*include in_days(start_time) */
    and /*include at_level(level) */;
