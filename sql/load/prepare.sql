-- Temporary tables for the objects that this load reads and for the keys that it affects.
-- redshift: by the key that they are joined by, and compressed; both are only chosen for CREATE TABLE AS.
create temp table scope_objects (
    object_id bigint not null,
    load_id bigint not null
) /*redshift diststyle all */;
create temp table touched_events (
    session_id bigint /*redshift encode az64 */,
    item_in_session integer /*redshift encode az64 */,
    ts bigint /*redshift encode az64 */,
    user_id bigint /*redshift encode az64 */,
    page label /*redshift encode bytedict */,
    is_new boolean -- staged by this load
) /*redshift distkey(session_id) */;
create temp table touched_songs (
    song_id code /*redshift encode zstd */,
    artist_id code /*redshift encode zstd */,
    title text /*redshift encode zstd */,
    artist_name text /*redshift encode zstd */
) /*redshift diststyle even */;
