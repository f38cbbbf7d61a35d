-- Adds the plays that a song record of this load matches, or that a deleted one matched, to the
-- affected plays. They can be of any day.
create temp table scope_matched /*redshift distkey(session_id) */ as
with titles as (
    select distinct
        title,
        artist_name
    from touched_songs
)

select
    songplays.session_id,
    songplays.item_in_session,
    songplays.start_time
from songplays
join titles on titles.title = songplays.song_title and titles.artist_name = songplays.artist_name;

insert into scope_plays
with concerned as (
    select distinct
        session_id,
        item_in_session
    from scope_matched
)

select
    concerned.session_id,
    concerned.item_in_session
from concerned
left join scope_plays
    on scope_plays.session_id = concerned.session_id and scope_plays.item_in_session = concerned.item_in_session
where scope_plays.session_id is null;

insert into scope_days
select distinct cast(floor(cast(f_ms(start_time) as double precision) / 86400000) as bigint)
from scope_matched;

drop table scope_matched;
