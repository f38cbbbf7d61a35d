-- Functions in the schema $1, to see whether every UDF is installed.
select distinct p.proname as function_name
from pg_proc as p
join pg_namespace as n on n."oid" = p.pronamespace
where n.nspname = $1;
