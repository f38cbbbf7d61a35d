-- One song play, whether its song is in the catalogue or not.
-- grain: one identity (session_id, item_in_session, ts, user_id); source: staging_events where page = 'NextSong', matched to staging_songs
-- rule: of copies that differ the first by (song, artist, length, level, location, user_agent)
-- match: records with the same title and artist name; the nearest duration, then the smallest song_id, then artist_id
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
--   match_method: staging_events.length against staging_songs.duration of the match
create table if not exists songplays (
    songplay_id uuid /*redshift= char(36) encode raw */ not null, -- key: md5 of the identity
    start_time timestamp /*redshift encode raw */ not null, -- UTC, with milliseconds; in time
    user_id bigint /*redshift encode az64 */, -- in users; null for a guest
    level varchar /*postgres collate "C" */ /*redshift encode bytedict */, -- free or paid, at the time of the play
    song_id varchar /*postgres collate "C" */ /*redshift encode zstd */, -- in songs; null when the catalogue lacks the song
    artist_id varchar /*postgres collate "C" */ /*redshift encode zstd */, -- in artists; null when the catalogue lacks the song
    session_id bigint /*redshift encode az64 */ not null, -- of the visit
    location varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- of the user; null when unknown
    user_agent varchar /*postgres collate "C" */ /*redshift (4096) encode zstd */, -- the browser's own words
    item_in_session integer /*redshift encode az64 */ not null, -- place of the play in its session
    song_title varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- as logged, text repaired
    artist_name varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- as logged, text repaired
    length double precision /*redshift encode zstd */, -- of the song as logged, in seconds
    match_method varchar /*postgres collate "C" */ /*redshift encode bytedict */ -- exact: duration agrees to 0.001 s; title_artist: it does not; null: no match
    -- redshift: by user, as most questions count and join; sorted by time, as all are bounded by it. The sort key stays raw, so that blocks are left out; a digest does not shrink
) /*redshift distkey(user_id) sortkey(start_time) */;

delete from songplays /*incremental using scope_plays where songplays.session_id = scope_plays.session_id and songplays.item_in_session = scope_plays.item_in_session */;

insert into songplays
-- DuckDB scans rows of its own transaction with one thread: read once and kept, they are transformed by all.
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
    where page = 'NextSong'
),

-- Places in a session that stand more than once: only these are ranked.
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

-- The catalogue is asked once for each (song, artist, length).
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
    -- The comparison that can be hashed, then the one that is meant: a song may have been logged with many lengths.
    on m.song = p.song and m.artist = p.artist and coalesce(m.length, -1) = coalesce(p.length, -1) and f_same(m.length, p.length);
