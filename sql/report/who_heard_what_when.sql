-- query: who heard what, and when, latest first?
-- parameters: since, until, level, limit (100)
-- covers songs: every play, by its logged title
-- columns:
--   start_time: of the play, UTC
--   user_id: null for a guest
--   first_name: of the user, as last logged
--   last_name: of the user, as last logged
--   level: free or paid, at the time of the play
--   song_title: as logged, text repaired
--   artist_name: as logged, text repaired
--   location: of the user; null when unknown
--   song_id: in songs; null when the song is not in the catalogue
--   songplay_id: for `sparkify trace`
select
    songplays.start_time,
    songplays.user_id,
    users.first_name,
    users.last_name,
    songplays.level,
    songplays.song_title,
    songplays.artist_name,
    songplays.location,
    songplays.song_id,
    songplays.songplay_id
from songplays
left join users on users.user_id = songplays.user_id
where /*include in_days(songplays.start_time) */
    and /*include at_level(songplays.level) */
order by songplays.start_time desc, songplays.session_id desc, songplays.item_in_session desc, songplays.songplay_id
limit $4;
