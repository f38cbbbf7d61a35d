-- Lineage of a staged row, from the tables of lineage_joins: its load, its object, where it is in
-- the object, and in how large a group of objects; null for an object without a group.
-- arguments: row
:row.load_id,
l.started_at,
o.object_key,
o.size_bytes,
o.etag,
o.fingerprint,
:row.byte_offset,
g.members
