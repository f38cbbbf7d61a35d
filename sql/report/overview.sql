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
),

play_hours as (
    /*include play_hours() */
)

select
    cast(coalesce(sum(plays), 0) as bigint) as plays,
    (select count(user_id) from user_totals) as listeners,
    cast(coalesce(sum(plays - user_plays), 0) as bigint) as guest_plays,
    cast((select coalesce(sum(sessions), 0) from user_totals) as bigint) as sessions,
    (select count(song_title) from songs) as songs,
    (select count(distinct artist_name) from songs) as artists,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    min(first_play) as first_play,
    max(last_play) as last_play,
    f_percent(sum(matched_plays), sum(plays)) as matched_percent
from play_hours
where /*include at_level(level) */;
