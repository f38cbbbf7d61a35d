-- One accepted song record of the catalogue, from every object that is loaded.
-- grain: one record of a song object; source: song_data; values as written, text repaired
-- key: object_id, byte_offset
create table if not exists staging_songs (
    num_songs integer, -- always 1 in real data
    artist_id varchar /*postgres collate "C" */, -- AR...
    artist_latitude double precision, -- degrees north
    artist_longitude double precision, -- degrees east
    artist_location varchar /*postgres collate "C" */ /*redshift (2048) */, -- empty when unknown
    artist_name varchar /*postgres collate "C" */ /*redshift (2048) */, -- spellings differ between records of one artist
    song_id varchar /*postgres collate "C" */, -- SO...
    title varchar /*postgres collate "C" */ /*redshift (2048) */, -- of the song
    duration double precision, -- in seconds
    year integer, -- 0 when unknown
    load_id bigint not null, -- lineage: in etl_loads
    object_id bigint not null, -- lineage: in etl_objects
    byte_offset bigint not null -- lineage: where the record begins in the decompressed object
);
