-- Distinct model keys that a load affects, and days of plays. The incremental form of a model file is
-- restricted to them.
-- redshift: keys are on the slices of the rows that they are joined with. CREATE TABLE AS chooses
-- encodings and collects statistics (DG/r_CREATE_TABLE_AS.html).
create temp table scope_plays /*redshift distkey(session_id) */ as
select distinct
    session_id,
    item_in_session
from touched_events
where page = 'NextSong';

-- Days since 1970 on which a play is affected.
create temp table scope_days /*redshift diststyle all */ as
select distinct cast(floor(cast(ts as double precision) / 86400000) as bigint) as day
from touched_events
where page = 'NextSong';

-- Affected users, each with the time of the first affected event and of the last new one. A user
-- whose rows of an earlier version are deleted has replaced events.
create temp table scope_users /*redshift distkey(user_id) */ as
select
    user_id,
    min(ts) as since,
    max(case when is_new then ts end) as newest,
    max(case when is_new then 0 else 1 end) as has_replaced
from touched_events
where user_id is not null
group by user_id;

-- The level that each of these users had at that time, and since when.
create temp table scope_levels /*redshift distkey(user_id) */ as
select
    user_levels.user_id,
    user_levels.level,
    f_ms(user_levels.valid_from) as ts
from user_levels
join scope_users on scope_users.user_id = user_levels.user_id
where user_levels.valid_from < f_epoch_ms(scope_users.since)
    and (user_levels.valid_to is null or user_levels.valid_to >= f_epoch_ms(scope_users.since));

create temp table scope_songs /*redshift diststyle all */ as
select distinct song_id
from touched_songs;

create temp table scope_artists /*redshift diststyle all */ as
select distinct artist_id
from touched_songs;

create temp table scope_times /*redshift distkey(start_time) */ as
select distinct f_epoch_ms(ts) as start_time
from touched_events
where page = 'NextSong';
