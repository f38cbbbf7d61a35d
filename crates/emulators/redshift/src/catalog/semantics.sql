-- Redshift semantics for a PostgreSQL 15 database: functions, operators, types and system views.
-- A superuser runs this script once in the database of one emulator. Never run it in another
-- database: it changes built-in functions, operators and types in place.
-- DG/x is https://docs.aws.amazon.com/redshift/latest/dg/x.
set allow_system_table_mods = on;
set search_path = pg_catalog;
set check_function_bodies = off;
set standard_conforming_strings = on;

-- Comparisons of VARCHAR ignore trailing blanks (DG/r_Character_types.html). PostgreSQL compares
-- varchar as text. Therefore the operators and operator classes of text get the functions of
-- bpchar, which ignore trailing blanks. This covers joins, GROUP BY, DISTINCT, ORDER BY and IN.
create function rs_text_eq(text, text) returns boolean language internal immutable strict parallel safe as 'bpchareq';
create function rs_text_ne(text, text) returns boolean language internal immutable strict parallel safe as 'bpcharne';
create function rs_text_lt(text, text) returns boolean language internal immutable strict parallel safe as 'bpcharlt';
create function rs_text_le(text, text) returns boolean language internal immutable strict parallel safe as 'bpcharle';
create function rs_text_gt(text, text) returns boolean language internal immutable strict parallel safe as 'bpchargt';
create function rs_text_ge(text, text) returns boolean language internal immutable strict parallel safe as 'bpcharge';
create function rs_text_cmp(text, text) returns integer language internal immutable strict parallel safe as 'bpcharcmp';
create function rs_text_hash(text) returns integer language internal immutable strict parallel safe as 'hashbpchar';
create function rs_text_hash(text, bigint) returns bigint language internal immutable strict parallel safe as 'hashbpcharextended';
update pg_operator set oprcode = case oprname
        when '=' then 'rs_text_eq'::regproc when '<>' then 'rs_text_ne'::regproc when '<' then 'rs_text_lt'::regproc
        when '<=' then 'rs_text_le'::regproc when '>' then 'rs_text_gt'::regproc when '>=' then 'rs_text_ge'::regproc end
where oprleft = 'text'::regtype and oprright = 'text'::regtype and oprname in ('=', '<>', '<', '<=', '>', '>=');
delete from pg_amproc where amproclefttype = 'text'::regtype and amprocrighttype = 'text'::regtype and amprocnum in (2, 4)
    and amprocfamily in (select oid from pg_opfamily where opfname = 'text_ops' and opfmethod = (select oid from pg_am where amname = 'btree'));
update pg_amproc set amproc = 'rs_text_cmp'::regproc
where amproclefttype = 'text'::regtype and amprocrighttype = 'text'::regtype and amprocnum = 1
    and amprocfamily in (select oid from pg_opfamily where opfname = 'text_ops' and opfmethod = (select oid from pg_am where amname = 'btree'));
update pg_amproc set amproc = case amprocnum when 1 then 'rs_text_hash(text)'::regprocedure else 'rs_text_hash(text, bigint)'::regprocedure end
where amproclefttype = 'text'::regtype and amprocrighttype = 'text'::regtype
    and amprocfamily in (select oid from pg_opfamily where opfname = 'text_ops' and opfmethod = (select oid from pg_am where amname = 'hash'));

-- Built-in functions whose results differ in Redshift are renamed; replacements follow below.
update pg_proc set proname = 'rs_pg_' || proname
where oid = any (array[
    'avg(smallint)', 'avg(integer)', 'avg(bigint)', 'avg(numeric)', 'sum(bigint)', 'version()', 'regexp_replace(text, text, text)',
    'regexp_replace(text, text, text, integer)', 'md5(text)', 'current_database()',
    '"extract"(text, timestamp)', '"extract"(text, timestamptz)', '"extract"(text, date)', '"extract"(text, time)',
    '"extract"(text, interval)'
]::regprocedure[]::oid[]);

-- AVG and SUM of integers return BIGINT; AVG truncates (DG/r_AVG.html, DG/r_SUM.html).
create function rs_avg_step(numeric[], bigint) returns numeric[] language sql immutable strict as
    'select array[$1[1] + $2, $1[2] + 1]';
create function rs_avg_end(numeric[]) returns bigint language sql immutable strict as
    'select case when $1[2] > 0 then trunc($1[1] / $1[2])::bigint end';
create function rs_avg_end(bigint[]) returns bigint language sql immutable strict as
    'select case when $1[1] > 0 then $1[2] / $1[1] end';
create aggregate avg(smallint) (sfunc = int2_avg_accum, stype = bigint[], finalfunc = rs_avg_end, initcond = '{0,0}');
create aggregate avg(integer) (sfunc = int4_avg_accum, stype = bigint[], finalfunc = rs_avg_end, initcond = '{0,0}');
create aggregate avg(bigint) (sfunc = rs_avg_step, stype = numeric[], finalfunc = rs_avg_end, initcond = '{0,0}');
create aggregate sum(bigint) (sfunc = int8pl, stype = bigint);
-- AVG of decimals keeps their scale. Assumed: it truncates to the scale, as AVG of integers does.
create function rs_avg_step(numeric[], numeric) returns numeric[] language sql immutable strict as
    'select array[$1[1] + $2, $1[2] + 1, greatest($1[3], scale($2))]';
create function rs_avg_decimal(numeric[]) returns numeric language sql immutable strict as
    'select case when $1[2] > 0 then trunc($1[1] / $1[2], $1[3]::integer) end';
create aggregate avg(numeric) (sfunc = rs_avg_step, stype = numeric[], finalfunc = rs_avg_decimal, initcond = '{0,0,0}');

-- Functions that PostgreSQL lacks (DG/c_SQL_functions.html and the page of each).
create function version() returns varchar language sql stable as
    $$select 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.117891'::varchar$$;
create function md5(text) returns varchar language sql immutable strict as 'select rs_pg_md5($1)::varchar';
create function current_database() returns name language sql stable as $$select current_setting('emulator.database')::name$$;
create function getdate() returns timestamp language sql stable as $$select date_trunc('second', statement_timestamp() at time zone 'UTC')$$;
create function rs_sysdate() returns timestamp language sql stable as $$select transaction_timestamp() at time zone 'UTC'$$;
create function len(text) returns integer language sql immutable strict as 'select length($1)';
create function nvl2(anyelement, anycompatible, anycompatible) returns anycompatible language sql immutable as
    'select case when $1 is not null then $2 else $3 end';
create function nvl2(text, anycompatible, anycompatible) returns anycompatible language sql immutable as
    'select case when $1 is not null then $2 else $3 end';
create function charindex(text, text) returns integer language sql immutable strict as 'select strpos($2, $1)';
create function last_day(timestamp) returns date language sql immutable strict as
    $$select (date_trunc('month', $1) + interval '1 month' - interval '1 day')::date$$;
create function trunc(timestamp) returns date language sql immutable strict as 'select $1::date';
create function convert_timezone(text, text, timestamp) returns timestamp language sql stable strict as
    'select ($3 at time zone $1) at time zone $2';
create function convert_timezone(text, timestamp) returns timestamp language sql stable strict as
    $$select ($2 at time zone 'UTC') at time zone $1$$;
-- Replaces every occurrence (DG/REGEXP_REPLACE.html). The form with parameters is not supported.
create function regexp_replace(text, text, text default '') returns varchar language sql immutable strict as
    $$select regexp_replace($1, $2, $3, 'g'::text)::varchar$$;
create function regexp_replace(text, text, text, integer) returns varchar language sql immutable strict as
    $$select regexp_replace($1, $2, $3, $4, 0)::varchar$$;
create function strtol(text, integer) returns bigint language plpgsql immutable strict as $$
declare
    digits text := lower(regexp_replace($1, case when $2 = 16 then '^[ ]*[-+]?(0[xX])?' else '^[ ]*[-+]?' end, ''));
    total numeric := 0;
    place integer;
begin
    for i in 1 .. length(digits) loop
        place := strpos(substr('0123456789abcdefghijklmnopqrstuvwxyz', 1, $2), substr(digits, i, 1)) - 1;
        if place < 0 then
            raise exception 'The input % is not valid to be converted to base %', $1, $2 using errcode = '22023';
        end if;
        total := total * $2 + place;
    end loop;
    total := case when $1 ~ '^[ ]*-' then -total else total end;
    if total not between -9223372036854775808 and 9223372036854775807 then
        raise exception 'The input % is out of range', $1 using errcode = '22003';
    end if;
    return total;
end $$;
create function json_serialize(json) returns varchar language sql immutable strict as 'select $1::varchar';
create function json_extract_path_text(text, variadic text[]) returns varchar language sql immutable strict as
    $$select coalesce(json_extract_path_text($1::super, variadic $2), '')::varchar$$;
create function json_array_length(text) returns integer language sql immutable strict as 'select json_array_length($1::super)';
create function json_extract_array_element_text(text, integer) returns varchar language sql immutable strict as
    'select ($1::super ->> $2)::varchar';
create function sha2(text, integer) returns varchar language sql immutable strict as
    $$select encode(case $2 when 224 then sha224(convert_to($1, 'UTF8')) when 384 then sha384(convert_to($1, 'UTF8'))
        when 512 then sha512(convert_to($1, 'UTF8')) else sha256(convert_to($1, 'UTF8')) end, 'hex')::varchar$$;

-- The length of VARCHAR counts bytes (DG/r_Character_types.html). A cast truncates at a character
-- boundary. An assignment fails if anything but blanks is cut off. This function replaces the
-- length coercion of varchar in pg_cast.
create function rs_varchar(value varchar, modifier integer, is_cast boolean) returns varchar language plpgsql immutable strict as $$
declare
    kept_bytes integer := modifier - 4;
    bytes varbyte;
    kept varchar;
begin
    if modifier < 4 or octet_length(value) <= kept_bytes then
        return value;
    end if;
    bytes := convert_to(value, 'UTF8');
    -- Do not cut a character: move the end back while the next byte is a continuation byte.
    while get_byte(bytes, kept_bytes) & 192 = 128 loop
        kept_bytes := kept_bytes - 1;
    end loop;
    kept := convert_from(substr(bytes, 1, kept_bytes), 'UTF8');
    if not is_cast and octet_length(rtrim(substr(value, length(kept) + 1), ' ')) > 0 then
        raise exception 'value too long for type character varying(%)', modifier - 4 using errcode = '22001';
    end if;
    return kept;
end $$;
update pg_cast set castfunc = 'rs_varchar(varchar, integer, boolean)'::regprocedure
where castsource = 'varchar'::regtype and casttarget = 'varchar'::regtype;

-- Each VARCHAR and CHAR column has a check on its bytes without excess blanks, which calls this
-- function when it fails. The function is volatile so that the planner does not evaluate it early.
create function rs_too_long(type text, length integer) returns boolean language plpgsql volatile as $$
begin
    raise exception 'value too long for type %(%)', type, length using errcode = '22001';
end $$;

-- DDL attributes that PostgreSQL lacks: distribution, sort key and encoding.
create table rs_table_attributes (relid oid, diststyle text, compound boolean, backup boolean, keys text);
create table rs_column_attributes (relid oid, name name, encoding text, distkey boolean, sortkey integer);
-- Declared keys, which are not enforced.
create table rs_keys (relid oid, kind text, name text, columns text[], target text, target_columns text[],
    number integer generated always as identity);
create function rs_key_name(key rs_keys) returns text language sql stable as $$
    select coalesce(key.name, c.relname || case key.kind when 'PRIMARY KEY' then '_pkey'
        else '_' || array_to_string(key.columns, '_') || case key.kind when 'UNIQUE' then '_key' else '_fkey' end end)
    from pg_class as c where c.oid = key.relid $$;
create function rs_key_columns(relation oid, columns text[]) returns smallint[] language sql stable as $$
    select array(select a.attnum from unnest(columns) with ordinality as n (name, place)
        join pg_attribute as a on a.attrelid = relation and a.attname = n.name order by n.place) $$;
create function rs_declare_key(relation regclass, kind text, name text, columns text[], target text, target_columns text[], if_new boolean)
    returns void language plpgsql as $$
begin
    if if_new and exists (select from rs_keys as k where k.relid = relation and k.kind = $2 and k.columns = $4) then
        return;
    end if;
    if kind = 'PRIMARY KEY' and exists (select from rs_keys as k where k.relid = relation and k.kind = $2) then
        raise exception 'multiple primary keys for table "%" are not allowed', relation using errcode = '42P16';
    end if;
    insert into rs_keys values (relation, kind, name, columns, target, target_columns);
end $$;
grant select, insert, update, delete on rs_table_attributes, rs_column_attributes, rs_keys to public;

-- DG/r_ALTER_TABLE.html: the view that lists constraints, here of declared keys only. PostgreSQL's
-- own lists the checks by which the emulator limits lengths.
alter view information_schema.table_constraints rename to rs_table_constraints;
create view information_schema.table_constraints as
select current_database()::varchar as constraint_catalog, n.nspname::varchar as constraint_schema,
    rs_key_name(k)::varchar as constraint_name,
    current_database()::varchar as table_catalog, n.nspname::varchar as table_schema, c.relname::varchar as table_name,
    k.kind::varchar as constraint_type, 'NO'::varchar as is_deferrable, 'NO'::varchar as initially_deferred
from rs_keys as k
join pg_class as c on c.oid = k.relid
join pg_namespace as n on n.oid = c.relnamespace;
grant select on information_schema.table_constraints to public;

-- DG/r_PG_TABLE_DEF.html: the tables of the schemas on the search path.
create view pg_table_def as
select n.nspname as schemaname, c.relname as tablename, a.attname as "column", format_type(a.atttypid, a.atttypmod) as type,
    coalesce(k.encoding, 'none')::varchar as encoding, coalesce(k.distkey, false) as distkey, coalesce(k.sortkey, 0) as sortkey,
    a.attnotnull as "notnull"
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join rs_column_attributes as k on k.relid = c.oid and k.name = a.attname
where c.relkind = 'r' and n.nspname = any (current_schemas(true)) and c.relname not in ('rs_table_attributes', 'rs_column_attributes', 'rs_keys');
-- DG/r_SVV_TABLE_INFO.html. Values that the emulator does not know are NULL.
create view svv_table_info as
select current_database()::varchar as database, n.nspname::varchar as schema, c.oid as table_id, c.relname::varchar as "table",
    case when exists (select 1 from rs_column_attributes as k where k.relid = c.oid and k.encoding <> 'none') then 'Y' else 'N' end::varchar as encoded,
    coalesce(t.diststyle, 'AUTO(ALL)')::varchar as diststyle,
    coalesce((select k.name from rs_column_attributes as k where k.relid = c.oid and k.sortkey in (1, -1)), 'AUTO(SORTKEY)')::varchar as sortkey1,
    (select count(*) from rs_column_attributes as k where k.relid = c.oid and k.sortkey <> 0)::integer as sortkey_num,
    null::integer as max_varchar, null::char(32) as sortkey1_enc, null::bigint as size, null::numeric(10, 4) as pct_used,
    null::numeric(5, 2) as unsorted, null::numeric(5, 2) as stats_off, null::numeric(19, 2) as skew_sortkey1, null::numeric(19, 2) as skew_rows,
    (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint as tbl_rows
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
left join rs_table_attributes as t on t.relid = c.oid
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%';
create view stv_slices as select s / 2 as node, s as slice, s % 2 as localslice, 'D'::char(1) as type from generate_series(0, 3) as s;
create view stv_db_isolation_level as select current_database()::char(128) as db_name, 'Snapshot Isolation'::char(20) as isolation_level;

-- Load views. Their rows survive a rollback, so the proxy keeps them in memory and passes them in a
-- setting to each session before it queries a view.
create function rs_loads(kind text) returns json language sql stable as
    $$select coalesce(nullif(current_setting('emulator.' || $1, true), ''), '[]')::super$$;
create function rs_time(micros bigint) returns timestamp language sql immutable strict as
    $$select timestamp 'epoch' + $1 * interval '1 microsecond'$$;
create view sys_load_history as
select user_id, query_id, status, session_id, transaction_id, database_name, table_name, rs_time(start_time) as start_time, rs_time(end_time) as end_time, duration, data_source,
    file_format, loaded_rows, loaded_bytes, source_file_count, source_file_bytes, file_count_scanned, file_bytes_scanned, error_count,
    copy_job_id
from json_to_recordset(rs_loads('history')) as r (user_id integer, query_id bigint, status varchar, session_id integer,
    transaction_id bigint, database_name varchar, table_name varchar, start_time bigint, end_time bigint, duration bigint,
    data_source varchar, file_format varchar, loaded_rows bigint, loaded_bytes bigint, source_file_count integer,
    source_file_bytes bigint, file_count_scanned integer, file_bytes_scanned bigint, error_count bigint, copy_job_id bigint);
create view sys_load_error_detail as
select user_id, query_id, transaction_id, session_id, database_name, table_id, rs_time(start_time) as start_time, file_name, line_number, column_name,
    column_type, column_length, position, error_code, error_message
from json_to_recordset(rs_loads('errors')) as r (user_id integer, query_id bigint, transaction_id bigint, session_id integer,
    database_name char(64), table_id integer, start_time bigint, file_name char(256), line_number bigint, column_name char(127),
    column_type char(10), column_length char(10), "position" integer, error_code integer, error_message char(512));
create view stl_load_errors as
select user_id as userid, slice, table_id as tbl, rs_time(start_time) as starttime, session_id as session, stl_query as query,
    file_name as filename, line_number, column_name as colname, column_type as type, column_length as col_length, position,
    raw_line, raw_field_value, error_code as err_code, error_message::char(100) as err_reason, is_partial, start_offset
from json_to_recordset(rs_loads('errors')) as r (user_id integer, slice integer, table_id integer, start_time bigint,
    session_id integer, stl_query bigint, file_name char(256), line_number bigint, column_name char(127), column_type char(10),
    column_length char(10), "position" integer, raw_line char(1024), raw_field_value char(1024), error_code integer,
    error_message char(512), is_partial integer, start_offset bigint);
grant select on pg_table_def, svv_table_info, stv_slices, stv_db_isolation_level, sys_load_history, sys_load_error_detail, stl_load_errors to public;

-- System catalogs that are newer than PostgreSQL 8.0 (DG/c_join_PG.html does not list them).
update pg_class set relname = 'rs_' || relname where relname in ('pg_range', 'pg_enum') and relnamespace = 'pg_catalog'::regnamespace;
-- json and bytea become SUPER and VARBYTE. Unsupported types are renamed
-- (DG/c_unsupported-postgresql-datatypes.html).
update pg_type set typname = 'super' where oid = 'json'::regtype;
update pg_type set typname = 'varbyte' where oid = 'bytea'::regtype;
update pg_type set typname = 'rs_' || typname
where typnamespace = 'pg_catalog'::regnamespace and typname in ('uuid', 'jsonb', 'xml', 'money', 'inet', 'cidr', 'macaddr', 'macaddr8', 'tsvector',
    'tsquery', 'jsonpath', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'int4range', 'int8range', 'numrange', 'tsrange',
    'tstzrange', 'daterange');
reset all;
