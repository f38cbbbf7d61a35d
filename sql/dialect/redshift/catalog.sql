-- Every column of every table in the schema $1, in table order. Joins follow DG/c_join_PG.html,
-- type names DG/r_PG_TABLE_DEF.html.
select
    c.relname as table_name,
    a.attname as column_name,
    lower(d.type) as data_type
from pg_class as c
join pg_namespace as n on n."oid" = c.relnamespace
join pg_attribute as a on a.attrelid = c."oid"
left join pg_table_def as d on d.schemaname = n.nspname and d.tablename = c.relname and d."column" = a.attname
where n.nspname = $1 and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
order by c.relname, a.attnum;
