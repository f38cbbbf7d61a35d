-- One song play, with or without a match in the catalogue.
-- grain: one identity (session_id, item_in_session, ts, user_id); source: staging_events where page = 'NextSong', matched to staging_songs
-- rule: among differing copies of a play, the first by (song, artist, length, level, location, user_agent)
-- match: records with the same title and artist name; the nearest duration wins, then the smallest song_id, then artist_id
-- key: songplay_id
-- from:
--   songplay_id: staging_events.session_id, staging_events.item_in_session, staging_events.ts, staging_events.user_id
--   start_time: staging_events.ts
--   user_id: staging_events.user_id
--   level: staging_events.level
--   song_id: staging_songs.song_id of the match
--   artist_id: staging_songs.artist_id of the match
--   session_id: staging_events.session_id
--   location: staging_events.location, empty as null
--   user_agent: staging_events.user_agent
--   item_in_session: staging_events.item_in_session
--   song_title: staging_events.song
--   artist_name: staging_events.artist
--   length: staging_events.length
--   match_method: staging_events.length compared with staging_songs.duration of the match
create table if not exists songplays (
    songplay_id uuid not null, -- key: md5 of the identity
    start_time timestamp /*redshift encode raw */ not null, -- UTC, with milliseconds; in time
    user_id bigint, -- in users; null for a guest
    level label, -- free or paid, at the time of the play
    song_id code, -- in songs; null when the song is not in the catalogue
    artist_id code, -- in artists; null when the song is not in the catalogue
    session_id bigint not null, -- session number
    location text, -- of the user; null when unknown
    user_agent long_text, -- User-Agent header of the browser
    item_in_session integer not null, -- position of the play in its session
    song_title text, -- as logged, text repaired
    artist_name text, -- as logged, text repaired
    length double precision, -- of the song as logged, in seconds
    match_method label -- exact: duration agrees to 0.001 s; title_artist: it does not; null: no match
    -- redshift: distributed by user, by which most saved queries count and join; sorted by time, by
    -- which all filter. The sort key stays raw, so that blocks can be skipped.
) /*redshift distkey(user_id) sortkey(start_time) */;

/*postgres create index if not exists songplays_start_time on songplays (start_time) */;

delete from songplays /*incremental using scope_plays where songplays.session_id = scope_plays.session_id and songplays.item_in_session = scope_plays.item_in_session and :within_times(touched_plays, songplays.start_time) */;

insert into songplays
-- Materialized for DuckDB: see sql/README.md.
with plays as /*duckdb materialized *//*postgres not materialized */ (
    select
        session_id,
        item_in_session,
        ts,
        user_id,
        level,
        location,
        user_agent,
        song,
        artist,
        length
    from staging_events
    /*incremental join scope_plays using (session_id, item_in_session) */
    where page = 'NextSong' /*incremental and :within(touched_plays, ts) */
),

-- Positions in a session that occur more than once: only their events are ranked.
repeated as (
    select
        session_id,
        item_in_session
    from plays
    group by session_id, item_in_session
    having count(*) > 1
),

ranked as (
    select
        plays.*,
        row_number() over (
            partition by session_id, item_in_session, ts, user_id
            order by
                f_bytes(song) nulls last,
                f_bytes(artist) nulls last,
                length nulls last,
                f_bytes(level) nulls last,
                f_bytes(location) nulls last,
                f_bytes(user_agent) nulls last
        ) as place
    from plays
    join repeated using (session_id, item_in_session)
),

distinct_plays as (
    select
        plays.*,
        1 as place
    from plays
    left join repeated
        on repeated.session_id = plays.session_id and repeated.item_in_session = plays.item_in_session
    where repeated.session_id is null
    union all
    select *
    from ranked
    where place = 1
),

-- The catalogue is searched once for each (song, artist, length).
wanted as (
    select distinct
        song,
        artist,
        length
    from plays
    where song is not null and artist is not null
),

candidates as (
    select
        wanted.song,
        wanted.artist,
        wanted.length,
        staging_songs.song_id,
        staging_songs.artist_id,
        abs(staging_songs.duration - wanted.length) as distance,
        row_number() over (
            partition by wanted.song, wanted.artist, wanted.length
            order by
                abs(staging_songs.duration - wanted.length) nulls last,
                f_bytes(staging_songs.song_id),
                f_bytes(staging_songs.artist_id)
        ) as place
    from wanted
    join staging_songs on staging_songs.title = wanted.song and staging_songs.artist_name = wanted.artist
),

matches as (
    select
        song,
        artist,
        length,
        song_id,
        artist_id,
        case when distance <= 0.001 then 'exact' else 'title_artist' end as match_method
    from candidates
    where place = 1
)

select
    f_songplay_id(p.session_id, p.item_in_session, p.ts, p.user_id) as songplay_id,
    f_epoch_ms(p.ts) as start_time,
    p.user_id,
    p.level,
    m.song_id,
    m.artist_id,
    p.session_id,
    nullif(p.location, '') as location,
    p.user_agent,
    p.item_in_session,
    p.song as song_title,
    p.artist as artist_name,
    p.length,
    m.match_method
from distinct_plays as p
left join matches as m
    -- coalesce makes the length part of the hash join, since a song may be logged with many
    -- lengths; f_same is exact.
    on m.song = p.song and m.artist = p.artist and coalesce(m.length, -1) = coalesce(p.length, -1) and f_same(m.length, p.length);
