-- Distinct model keys that a load affects. The incremental form of a model file is restricted to
-- them.
create temp table scope_plays as
select distinct
    session_id,
    item_in_session
from touched_events
where page = 'NextSong';

-- Plays that a song record of this load matches, or that a deleted one matched.
insert into scope_plays
with titles as (
    select distinct
        title,
        artist_name
    from touched_songs
),

concerned as (
    select distinct
        songplays.session_id,
        songplays.item_in_session
    from songplays
    join titles on titles.title = songplays.song_title and titles.artist_name = songplays.artist_name
)

select
    concerned.session_id,
    concerned.item_in_session
from concerned
left join scope_plays
    on scope_plays.session_id = concerned.session_id and scope_plays.item_in_session = concerned.item_in_session
where scope_plays.session_id is null;

-- Affected users, each with the time of the first affected event.
create temp table scope_users as
select
    user_id,
    min(ts) as since
from touched_events
where user_id is not null
group by user_id;

-- The level that each of these users had at that time, and since when.
create temp table scope_levels as
select
    user_levels.user_id,
    user_levels.level,
    f_ms(user_levels.valid_from) as ts
from user_levels
join scope_users on scope_users.user_id = user_levels.user_id
where user_levels.valid_from < f_epoch_ms(scope_users.since)
    and (user_levels.valid_to is null or user_levels.valid_to >= f_epoch_ms(scope_users.since));

create temp table scope_songs as
select distinct song_id
from touched_songs;

create temp table scope_artists as
select distinct artist_id
from touched_songs;

create temp table scope_times as
select distinct f_epoch_ms(ts) as start_time
from touched_events
where page = 'NextSong';
