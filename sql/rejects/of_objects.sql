-- Every rejected record of the objects $1 to $2.
/*include reject_rows() */
where r.object_id between cast($1 as bigint) and cast($2 as bigint)
order by r.object_id, r.byte_offset;
