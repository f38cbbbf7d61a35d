-- Filter of rejected records: the reason contains $1 in any case, the object key contains $2. A
-- null parameter does not filter.
(cast($1 as varchar /*redshift (65535) */) is null or strpos(lower(r.reason), lower(cast($1 as varchar /*redshift (65535) */))) > 0)
and (cast($2 as varchar /*redshift (65535) */) is null or strpos(o.object_key, cast($2 as varchar /*redshift (65535) */)) > 0)
