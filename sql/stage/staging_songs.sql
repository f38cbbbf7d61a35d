-- One accepted song record of the catalogue, from every object that is loaded.
-- grain: one record of a song object; source: song_data; values as written, text repaired
-- key: object_id, byte_offset
create table if not exists staging_songs (
    num_songs integer /*redshift encode az64 */, -- always 1 in real data
    artist_id varchar /*postgres collate "C" */ /*redshift encode zstd */, -- AR...
    artist_latitude double precision /*redshift encode zstd */, -- degrees north
    artist_longitude double precision /*redshift encode zstd */, -- degrees east
    artist_location varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- empty when unknown
    artist_name varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- spellings differ between records of one artist
    song_id varchar /*postgres collate "C" */ /*redshift encode zstd */, -- SO...
    title varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- of the song
    duration double precision /*redshift encode zstd */, -- in seconds
    year integer /*redshift encode az64 */, -- 0 when unknown
    load_id bigint /*redshift encode az64 */ not null, -- lineage: in etl_loads
    object_id bigint /*redshift encode az64 */ not null, -- lineage: in etl_objects; one of a group stands for all of it
    byte_offset bigint /*redshift encode az64 */ not null -- lineage: where the record begins in the decompressed object; in a group of objects no position, but what tells its rows apart
    -- redshift: read by loads alone, by title and by key: no one column serves
) /*redshift diststyle even */;
