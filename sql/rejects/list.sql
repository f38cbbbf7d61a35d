-- The first $3 rejected records that the filter selects, by object key and position.
/*include reject_rows() */
where /*include reject_filter() */
order by f_bytes(o.object_key), r.byte_offset
limit $3;
