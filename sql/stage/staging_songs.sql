-- One accepted song record of the catalogue, from every loaded object.
-- grain: one record of a song object; source: song_data; values as written, text repaired
-- key: object_id, byte_offset
create table if not exists staging_songs (
    num_songs integer, -- $.num_songs: always 1 in real data
    artist_id code, -- $.artist_id required: AR...
    artist_latitude double precision, -- $.artist_latitude: degrees north
    artist_longitude double precision, -- $.artist_longitude: degrees east
    artist_location text, -- $.artist_location: empty when unknown
    artist_name text, -- $.artist_name required: spellings differ between records of one artist
    song_id code, -- $.song_id required: SO...
    title text, -- $.title required: of the song
    duration double precision, -- $.duration required: in seconds
    year integer, -- $.year: 0 when unknown
    load_id bigint not null, -- lineage: in etl_loads
    object_id bigint not null, -- lineage: in etl_objects; all rows of a group have the number of its first object
    byte_offset bigint not null -- lineage: where the record begins in the decompressed object; in a group a row number, not a position
    -- redshift: read by loads only, by title and by key, so no distribution key serves
) /*redshift diststyle even */;
