-- Deletes the bytes of the rejected record that begins at byte $2 of object $1; $3 is empty.
update etl_rejects
set "raw" = $3
where object_id = cast($1 as bigint) and byte_offset = cast($2 as bigint);
