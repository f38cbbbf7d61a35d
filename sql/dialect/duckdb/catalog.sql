-- Every column of every table in the current schema, in table order.
select
    t.table_name,
    c.column_name,
    lower(c.data_type) as data_type
from information_schema.tables as t
join information_schema.columns as c
    on c.table_catalog = t.table_catalog and c.table_schema = t.table_schema and c.table_name = t.table_name
where t.table_catalog = current_database() and t.table_schema = current_schema()
order by t.table_name, c.ordinal_position;
