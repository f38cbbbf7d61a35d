-- One artist of the catalogue.
-- grain: one artist_id; source: staging_songs
-- rule: among several records, the first by: has coordinates, has a location, fewest characters in the name, name, location, song_id, latitude, longitude
-- key: artist_id
-- from:
--   artist_id: staging_songs.artist_id
--   name: staging_songs.artist_name
--   location: staging_songs.artist_location, empty as null
--   latitude: staging_songs.artist_latitude
--   longitude: staging_songs.artist_longitude
create table if not exists artists (
    artist_id code /*redshift encode raw */ not null, -- key, AR...
    name text not null, -- the shortest spelling among the best records
    location text, -- null when unknown
    latitude double precision, -- degrees north
    longitude double precision -- degrees east
    -- redshift: like songs, a copy on each node
) /*redshift diststyle all sortkey(artist_id) */;

delete from artists /*incremental using scope_artists where artists.artist_id = scope_artists.artist_id */;

insert into artists
with records as (
    select
        artist_id,
        artist_name as name,
        artist_location as location,
        artist_latitude as latitude,
        artist_longitude as longitude,
        song_id
    from staging_songs
    /*incremental join scope_artists using (artist_id) */
),

ranked as (
    select
        artist_id,
        name,
        location,
        latitude,
        longitude,
        row_number() over (
            partition by artist_id
            order by
                case when latitude is null or longitude is null then 1 else 0 end,
                case when location is null or location = '' then 1 else 0 end,
                length(name),
                f_bytes(name),
                f_bytes(location) nulls last,
                f_bytes(song_id),
                latitude nulls last,
                longitude nulls last
        ) as place
    from records
)

select
    artist_id,
    name,
    nullif(location, '') as location,
    latitude,
    longitude
from ranked
where place = 1;
