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
with plays as (
    select
        start_time,
        user_id,
        session_id,
        song_id,
        song_title,
        artist_name,
        /*include listened(length) */ as length
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
),

songs as (
    select distinct
        song_title,
        artist_name
    from plays
    where song_title is not null
),

visits as (
    select distinct
        session_id,
        user_id
    from plays
)

select
    count(*) as plays,
    count(distinct user_id) as listeners,
    count(*) - count(user_id) as guest_plays,
    (select count(*) from visits) as sessions,
    (select count(*) from songs) as songs,
    count(distinct artist_name) as artists,
    f_round(coalesce(sum(length), 0) / 3600) as hours,
    min(start_time) as first_play,
    max(start_time) as last_play,
    f_percent(count(song_id), count(*)) as matched_percent
from plays;
