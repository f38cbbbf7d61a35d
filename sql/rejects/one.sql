-- The rejected record that begins at byte $2 of object $1.
/*include reject_rows() */
where r.object_id = cast($1 as bigint) and r.byte_offset = cast($2 as bigint);
