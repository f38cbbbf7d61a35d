-- Adds pages that are new since the last load to the BRIN indexes. Until then each of them is read,
-- whatever the bounds of a statement are. Only the owner of a table may do this.
select sum(brin_summarize_new_values(pg_class.oid)) as page_ranges
from pg_class
join pg_am on pg_am.oid = pg_class.relam
where pg_am.amname = 'brin'
    and pg_class.relkind = 'i'
    and pg_class.relnamespace = (select oid from pg_namespace where nspname = current_schema())
    and pg_has_role(pg_class.relowner, 'usage');
