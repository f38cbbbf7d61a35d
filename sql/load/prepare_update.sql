-- Temporary table for new keys and versions of loaded objects whose content is unchanged.
create temp table known_objects (
    object_id bigint not null,
    object_key text not null,
    modified_ns bigint,
    etag code
);
