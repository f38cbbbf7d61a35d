-- Tables, temporary ones included, that have grown by a fifth since their last `analyze`: with such
-- statistics the planner could take a million rows for a hundred.
select pg_class.relname::text as table_name
from pg_class
where pg_class.relnamespace in (pg_my_temp_schema(), (select oid from pg_namespace where nspname = current_schema()))
    and pg_class.relkind = 'r'
    and pg_class.relpages * 1.2 < pg_relation_size(pg_class.oid) / cast(current_setting('block_size') as integer)
    and pg_has_role(pg_class.relowner, 'usage')
order by pg_class.relname;
