-- System views and catalog columns that drivers, SQLAlchemy and dbt read, and PostgreSQL 15 lacks.
-- A superuser runs this script after semantics.sql, with search_path = pg_catalog.

-- PostgreSQL's own information_schema shows the name of its database, not that of the client.
do language plpgsql $$
declare
    relation record;
begin
    for relation in select c.oid, c.relname from pg_class as c where c.relnamespace = 'information_schema'::regnamespace and c.relkind = 'v'
        and pg_get_viewdef(c.oid) like '%rs_pg_current_database()%'
    loop
        execute format('create or replace view information_schema.%I as %s', relation.relname,
            replace(pg_get_viewdef(relation.oid), 'rs_pg_current_database()', 'current_database()'));
    end loop;
end $$;

-- The proxy replaces pg_class, pg_attribute, pg_attrdef and pg_constraint by these views in FROM.
-- pg_class.reldiststyle (DG/r_PG_CLASS_INFO.html): 0 EVEN, 1 KEY, 8 ALL, 10 AUTO(ALL).
create view rs_class as
select c.*, case when t.diststyle like 'KEY%' then 1 when t.diststyle = 'ALL' then 8 when t.diststyle = 'EVEN' then 0
    when c.relkind = 'r' then 10 end::smallint as reldiststyle
from pg_class as c
left join rs_table_attributes as t on t.relid = c.oid;
create view pg_class_info as select oid as reloid, *, reldiststyle as releffectivediststyle, null::timestamp as relcreationtime from rs_class;
-- Encodings have numbers in the catalog; the emulator's are the positions in this list.
create function rs_encodings() returns text[] language sql immutable as
    $$select array['none', 'runlength', 'bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'text255', 'text32k', 'zstd', 'az64']$$;
create function format_encoding(integer) returns varchar language sql immutable strict as 'select (rs_encodings())[$1 + 1]::varchar';
create view rs_attribute as
select a.*, coalesce(array_position(rs_encodings(), k.encoding) - 1, 0)::smallint as attencodingtype, coalesce(k.distkey, false) as attisdistkey,
    coalesce(k.sortkey, 0) as attsortkeyord
from pg_attribute as a
left join rs_column_attributes as k on k.relid = a.attrelid and k.name = a.attname;
create view rs_attrdef as select d.*, pg_get_expr(d.adbin, d.adrelid) as adsrc from pg_attrdef as d;

-- Declared keys as constraints. Each key has a number of its own, which no constraint of PostgreSQL has.
create view rs_constraint as
select (4000000000 + k.number)::oid as oid, rs_key_name(k)::name as conname, c.relnamespace as connamespace,
    lower(left(k.kind, 1))::"char" as contype, false as condeferrable, false as condeferred, k.relid as conrelid,
    coalesce(to_regclass(k.target)::oid, 0::oid) as confrelid, rs_key_columns(k.relid, k.columns) as conkey,
    case when k.target is not null then rs_key_columns(to_regclass(k.target), k.target_columns) end as confkey
from rs_keys as k
join pg_class as c on c.oid = k.relid;
update pg_proc set proname = 'rs_pg_get_constraintdef' where proname = 'pg_get_constraintdef';
create function pg_get_constraintdef(oid, boolean default false) returns text language sql stable strict as $$
    select k.kind || ' (' || array_to_string(array(select quote_ident(c) from unnest(k.columns) as c), ', ') || ')'
        || coalesce(' REFERENCES ' || k.target || '(' || array_to_string(array(select quote_ident(c) from unnest(k.target_columns) as c), ', ') || ')', '')
    from rs_keys as k where (4000000000 + k.number)::oid = $1 $$;

-- DG/r_SVV_TABLES.html, r_SVV_COLUMNS.html, r_SVV_ALL_TABLES.html and the others of these names.
create view svv_tables as
select table_catalog::varchar as table_catalog, table_schema::varchar as table_schema, table_name::varchar as table_name,
    table_type::varchar as table_type, null::varchar as remarks
from information_schema.tables where table_name not like 'rs\_%';
create view svv_columns as
select table_catalog::varchar as table_catalog, table_schema::varchar as table_schema, table_name::varchar as table_name,
    column_name::varchar as column_name, ordinal_position::integer as ordinal_position, column_default::varchar as column_default,
    is_nullable::varchar as is_nullable, data_type::varchar as data_type, character_maximum_length::integer as character_maximum_length,
    numeric_precision::integer as numeric_precision, numeric_precision_radix::integer as numeric_precision_radix,
    numeric_scale::integer as numeric_scale, datetime_precision::integer as datetime_precision, null::varchar as interval_type,
    null::varchar as interval_precision, null::varchar as character_set_catalog, null::varchar as character_set_schema,
    null::varchar as character_set_name, null::varchar as collation_catalog, null::varchar as collation_schema,
    null::varchar as collation_name, null::varchar as domain_name, null::varchar as remarks
from information_schema.columns where table_name not like 'rs\_%';
create view svv_all_tables as
select table_catalog as database_name, table_schema as schema_name, table_name, null::varchar as table_acl,
    case table_type when 'BASE TABLE' then 'TABLE' else table_type end::varchar as table_type, remarks
from svv_tables;
create view svv_redshift_tables as select database_name, schema_name, table_name, table_type, table_acl, remarks from svv_all_tables;
create view svv_all_columns as
select table_catalog as database_name, table_schema as schema_name, table_name, column_name, ordinal_position, column_default, is_nullable,
    data_type, character_maximum_length, numeric_precision, numeric_scale, remarks
from svv_columns;
create view svv_redshift_columns as
select c.database_name, c.schema_name, c.table_name, c.column_name, c.ordinal_position, c.data_type, c.column_default, c.is_nullable,
    coalesce(k.encoding, 'none')::varchar as encoding, coalesce(k.distkey, false) as distkey, coalesce(k.sortkey, 0) as sortkey,
    null::varchar as column_acl, c.remarks
from svv_all_columns as c
left join rs_column_attributes as k on k.relid = to_regclass(quote_ident(c.schema_name) || '.' || quote_ident(c.table_name)) and k.name = c.column_name;
create view svv_redshift_databases as
select current_database()::varchar as database_name, 100 as database_owner, 'local'::varchar as database_type, null::varchar as database_acl,
    null::varchar as database_options;
create view svv_all_schemas as
select current_database()::varchar as database_name, n.nspname::varchar as schema_name, 100 as schema_owner, 'local'::varchar as schema_type,
    null::varchar as schema_acl, null::varchar as source_database, null::varchar as schema_option
from pg_namespace as n where n.nspname not like 'pg\_toast%' and n.nspname not like 'pg\_temp%';
create view svv_redshift_schemas as
select database_name, schema_name, schema_owner, schema_type, schema_acl, schema_option from svv_all_schemas;
-- The emulator has no external schemas.
create view svv_external_schemas as
select 0::oid as esoid, 0 as eskind, ''::name as schemaname, 0::oid as esowner, ''::varchar as databasename, ''::varchar as esoptions where false;
create view svv_external_tables as
select ''::varchar as schemaname, ''::varchar as tablename, ''::varchar as location, ''::varchar as parameters where false;
create view svv_external_columns as
select ''::varchar as schemaname, ''::varchar as tablename, ''::varchar as columnname, ''::varchar as external_type, 0 as columnnum,
    0 as part_key, ''::varchar as is_nullable where false;
create view pg_proc_info as select oid as prooid, *, null::text as proargmodes_text from pg_proc;
-- DG/PG_GET_LATE_BINDING_VIEW_COLS.html. The backend binds every view.
create function pg_get_late_binding_view_cols() returns setof record language sql stable as
    $$select ''::name, ''::name, ''::name, ''::varchar, 0 where false$$;
grant select on rs_class, pg_class_info, rs_attribute, rs_attrdef, rs_constraint, svv_tables, svv_columns, svv_all_tables, svv_redshift_tables,
    svv_all_columns, svv_redshift_columns, svv_redshift_databases, svv_all_schemas, svv_redshift_schemas, svv_external_schemas,
    svv_external_tables, svv_external_columns, pg_proc_info to public;

-- Catalog queries of clients use a number as a condition (`where 1`, SQLAlchemy).
update pg_cast set castcontext = 'i' where castsource = 'integer'::regtype and casttarget = 'boolean'::regtype;
