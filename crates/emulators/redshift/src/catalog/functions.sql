-- Functions, operators and aggregates whose results differ in Redshift, or that PostgreSQL 15 lacks.
-- A superuser runs this script after semantics.sql, with search_path = pg_catalog. The bodies contain no
-- backslash, which sessions of clients read as an escape. The proxy passes date
-- parts by their full names (`redshift_lint::date_part`). DG/x is https://docs.aws.amazon.com/redshift/latest/dg/x.

-- Date parts (DG/r_Dateparts_for_datetime_functions.html). EXTRACT is an INTEGER and the part alone: milliseconds
-- without seconds (DG/r_EXTRACT_function.html). Decade 1 begins with year 1. Assumed: DATE_PART(millisecond) is as its microseconds.
create function "extract"(text, timestamp) returns integer language sql immutable strict as $$
    select case $1 when 'microsecond' then mod(rs_pg_extract('microsecond', $2), 1000)
        when 'millisecond' then mod(trunc(rs_pg_extract('millisecond', $2)), 1000)
        when 'decade' then floor(rs_pg_extract('year', $2) / 10) + 1
        else trunc(rs_pg_extract($1, $2)) end::integer $$;
create function "extract"(text, timestamptz) returns integer language sql stable strict as
    $$select case when $1 like 'timezone%' or $1 = 'epoch' then trunc(rs_pg_extract($1, $2))::integer else "extract"($1, $2::timestamp) end$$;
create function "extract"(text, date) returns integer language sql immutable strict as 'select "extract"($1, $2::timestamp)';
create function "extract"(text, time) returns integer language sql immutable strict as $$
    select case $1 when 'microsecond' then mod(rs_pg_extract('microsecond', $2), 1000)
        when 'millisecond' then mod(trunc(rs_pg_extract('millisecond', $2)), 1000)
        else trunc(rs_pg_extract($1, $2)) end::integer $$;
update pg_proc set proname = 'rs_pg_extract' where oid = '"extract"(text, timetz)'::regprocedure;
create function "extract"(text, timetz) returns integer language sql immutable strict as $$
    select case when $1 like 'timezone%' then trunc(rs_pg_extract($1, $2))::integer else "extract"($1, $2::time) end $$;
create function "extract"(text, interval) returns integer language sql immutable strict as 'select trunc(rs_pg_extract($1, $2))::integer';
update pg_proc set proname = 'rs_pg_date_part' where oid in ('date_part(text, timestamp)'::regprocedure, 'date_part(text, date)'::regprocedure);
create function date_part(text, timestamp) returns float8 language sql immutable strict as $$
    select case $1 when 'microsecond' then mod(rs_pg_extract('microsecond', $2), 1000000)
        when 'millisecond' then mod(trunc(rs_pg_extract('millisecond', $2)), 1000)
        when 'decade' then floor(rs_pg_extract('year', $2) / 10) + 1
        else rs_pg_extract($1, $2) end::float8 $$;
create function date_part(text, date) returns float8 language sql immutable strict as 'select date_part($1, $2::timestamp)';

-- Assumed: Redshift's message for an unknown date part is that of PostgreSQL for EXTRACT.
create function rs_unknown_part(part text) returns boolean language plpgsql as $$
begin
    raise exception 'timestamp units "%" not recognized', part using errcode = '22023';
end $$;
create function dateadd(text, bigint, timestamp) returns timestamp language plpgsql immutable strict as $$
declare
    -- DG/r_DATEADD_function.html: a year after 29 February is 1 March, twelve months after it 28 February.
    is_leap_day boolean := extract('month' from $3) = 2 and extract('day' from $3) = 29;
    years bigint := case $1 when 'year' then $2 when 'decade' then 10 * $2 when 'century' then 100 * $2 when 'millennium' then 1000 * $2 end;
    added timestamp;
begin
    if years is not null then
        added := $3 + years * interval '1 year';
        return case when is_leap_day and extract('day' from added) = 28 then added + interval '1 day' else added end;
    end if;
    case $1
        when 'quarter' then return $3 + 3 * $2 * interval '1 month';
        when 'month' then return $3 + $2 * interval '1 month';
        when 'week' then return $3 + 7 * $2 * interval '1 day';
        when 'day', 'dayofweek', 'dayofyear' then return $3 + $2 * interval '1 day';
        when 'hour' then return $3 + $2 * interval '1 hour';
        when 'minute' then return $3 + $2 * interval '1 minute';
        when 'second', 'epoch' then return $3 + $2 * interval '1 second';
        when 'millisecond' then return $3 + $2 * interval '1 millisecond';
        when 'microsecond' then return $3 + $2 * interval '1 microsecond';
        else perform rs_unknown_part($1); return null;
    end case;
end $$;
create function datediff(text, timestamp, timestamp) returns bigint language plpgsql immutable strict as $$
declare
    years bigint := rs_pg_extract('year', $3) - rs_pg_extract('year', $2);
    span numeric;
begin
    -- DATEDIFF counts the boundaries of the date part between the two times, not the elapsed time.
    case $1
        when 'millennium', 'century', 'decade' then return "extract"($1, $3) - "extract"($1, $2);
        when 'year' then return years;
        when 'month' then return 12 * years + rs_pg_extract('month', $3) - rs_pg_extract('month', $2);
        when 'quarter' then return 4 * years + rs_pg_extract('quarter', $3) - rs_pg_extract('quarter', $2);
        when 'day' then return $3::date - $2::date;
        -- Weeks begin on Sunday in DATEDIFF; date_trunc('week') begins them on Monday.
        when 'week' then return (date_trunc('week', $3 + interval '1 day')::date - date_trunc('week', $2 + interval '1 day')::date) / 7;
        when 'hour', 'minute', 'second', 'millisecond', 'microsecond' then
            span := rs_pg_extract('epoch', date_trunc($1, $3) - date_trunc($1, $2));
            return span / case $1 when 'hour' then 3600 when 'minute' then 60 when 'second' then 1
                when 'millisecond' then 0.001 else 0.000001 end;
        else perform rs_unknown_part($1); return null;
    end case;
end $$;
-- Text is converted to a timestamp; a TIME stays one, a TIMETZ becomes one in UTC (DG/r_DATEADD_function.html,
-- r_DATEDIFF_function.html).
create function dateadd(text, bigint, text) returns timestamp language sql immutable strict as 'select dateadd($1, $2, $3::timestamp)';
create function dateadd(text, bigint, time) returns time language sql immutable strict as
    $$select dateadd($1, $2, date '2000-01-01' + $3)::time$$;
create function dateadd(text, bigint, timetz) returns timetz language sql immutable strict as
    $$select (dateadd($1, $2, ($3 at time zone 'UTC')::time)::text || '+00')::timetz$$;
create function datediff(text, text, text) returns bigint language sql immutable strict as
    'select datediff($1, $2::timestamp, $3::timestamp)';
create function datediff(text, text, timestamp) returns bigint language sql immutable strict as 'select datediff($1, $2::timestamp, $3)';
create function datediff(text, timestamp, text) returns bigint language sql immutable strict as 'select datediff($1, $2, $3::timestamp)';
create function datediff(text, time, time) returns bigint language sql immutable strict as
    $$select datediff($1, date '2000-01-01' + $2, date '2000-01-01' + $3)$$;
create function datediff(text, timetz, timetz) returns bigint language sql immutable strict as
    $$select datediff($1, ($2 at time zone 'UTC')::time, ($3 at time zone 'UTC')::time)$$;
-- DG/r_ADD_MONTHS.html: the last day of a month stays the last day.
create function add_months(timestamp, integer) returns timestamp language sql immutable strict as $$
    select case when $1::date = last_day($1) then last_day($1 + $2 * interval '1 month') + $1::time else $1 + $2 * interval '1 month' end $$;
create function months_between(timestamp, timestamp) returns float8 language sql immutable strict as $$
    select (12 * (rs_pg_extract('year', $1) - rs_pg_extract('year', $2)) + rs_pg_extract('month', $1) - rs_pg_extract('month', $2)
        + case when rs_pg_extract('day', $1) = rs_pg_extract('day', $2) or ($1::date = last_day($1) and $2::date = last_day($2)) then 0
            else (rs_pg_extract('epoch', $1 - date_trunc('month', $1)) - rs_pg_extract('epoch', $2 - date_trunc('month', $2))) / 86400 / 31 end)::float8 $$;
create function next_day(timestamp, text) returns date language plpgsql immutable strict as $$
declare
    names text[] := array['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
    found integer;
begin
    -- Abbreviations are the first two or three letters, or more of the name.
    select place into found from unnest(names) with ordinality as n (name, place) where length($2) > 1 and name like lower($2) || '%';
    if found is null then
        raise exception 'invalid day of the week: %', $2 using errcode = '22023';
    end if;
    return $1::date + mod(found - 1 - rs_pg_extract('dow', $1)::integer + 6, 7) + 1;
end $$;

-- Implicit conversions of comparisons (DG/c_Supported_data_types.html): a number becomes text, text
-- becomes a DECIMAL; LIKE compares the text of other types.
do language plpgsql $$
declare
    type text;
    op text;
    compared text;
begin
    foreach type in array array['smallint', 'integer', 'bigint', 'real', 'float8', 'numeric'] loop
        foreach op in array array['=', '<>', '<', '<=', '>', '>='] loop
            compared := case type when 'numeric' then 'numeric' else 'text' end;
            execute format('create function rs_compare_%1$s(text, %2$s) returns boolean language sql immutable strict as %3$L',
                md5(op), type, format('select $1::%s %s $2::%s', compared, op, compared));
            execute format('create function rs_compare_%1$s(%2$s, text) returns boolean language sql immutable strict as %3$L',
                md5(op), type, format('select $1::%s %s $2::%s', compared, op, compared));
            execute format('create operator %s (leftarg = text, rightarg = %s, function = rs_compare_%s)', op, type, md5(op));
            execute format('create operator %s (leftarg = %s, rightarg = text, function = rs_compare_%s)', op, type, md5(op));
        end loop;
    end loop;
    foreach type in array array['smallint', 'integer', 'bigint', 'numeric', 'float8', 'date', 'timestamp'] loop
        foreach op in array array['~~', '!~~', '~~*', '!~~*'] loop
            execute format('create function rs_like_%s(%s, text) returns boolean language sql stable strict as %L',
                md5(op), type, format('select $1::text %s $2', op));
            execute format('create operator %s (leftarg = %s, rightarg = text, function = rs_like_%s)', op, type, md5(op));
        end loop;
    end loop;
end $$;
-- LISTAGG of values of any type, which the proxy renames to string_agg (DG/r_LISTAGG.html).
create function rs_list_step(text, anynonarray, text) returns text language sql immutable as
    $$select case when $2 is null then $1 when $1 is null then $2::text else $1 || coalesce($3, '') || $2::text end$$;
create aggregate string_agg(anynonarray, text) (sfunc = rs_list_step, stype = text);

-- VARBYTE (DG/r_TO_VARBYTE.html, r_FROM_VARBYTE.html, r_FROM_HEX.html, r_VARBYTE_OPERATORS.html).
create function rs_even(digits text) returns text language sql immutable strict as
    $$select case when length(digits) % 2 = 1 then '0' || digits else digits end$$;
create function to_varbyte(text, text) returns varbyte language plpgsql immutable strict as $$
begin
    case lower($2)
        when 'hex' then return decode(rs_even($1), 'hex');
        when 'binary' then return (select string_agg(substr(int4send(substr(padded, 8 * i + 1, 8)::bit(8)::integer), 4, 1), ''::varbyte order by i)
            from (select lpad($1, 8 * ((length($1) + 7) / 8), '0') as padded) as p, generate_series(0, (length($1) + 7) / 8 - 1) as i);
        when 'utf8', 'utf-8' then return convert_to($1, 'UTF8');
        else raise exception 'invalid format: %', $2 using errcode = '22023';
    end case;
end $$;
create function from_varbyte(varbyte, text) returns varchar language plpgsql immutable strict as $$
begin
    case lower($2)
        when 'hex' then return encode($1, 'hex');
        when 'binary' then return (select string_agg(get_byte($1, i)::bit(8)::text, '' order by i) from generate_series(0, length($1) - 1) as i);
        when 'utf8', 'utf-8' then return convert_from($1, 'UTF8');
        else raise exception 'invalid format: %', $2 using errcode = '22023';
    end case;
end $$;
create function from_hex(text) returns varbyte language sql immutable strict as $$select decode(rs_even($1), 'hex')$$;
create function to_hex(varbyte) returns varchar language sql immutable strict as $$select encode($1, 'hex')::varchar$$;
create function rs_join(varbyte, varbyte) returns varbyte language sql immutable strict as 'select $1 || $2';
create operator + (leftarg = varbyte, rightarg = varbyte, function = rs_join);
-- DG/r_CONCAT.html: NULL if one of both is NULL.
update pg_proc set proname = 'rs_pg_concat' where proname = 'concat';
create function concat(text, text) returns varchar language sql immutable strict as 'select ($1 || $2)::varchar';
create function concat(varbyte, varbyte) returns varbyte language sql immutable strict as 'select $1 || $2';

-- DG/REGEXP_SUBSTR.html. Assumed: without a match the result is empty, as clients expect (dbt-redshift).
update pg_proc set proname = 'rs_pg_regexp_substr' where proname = 'regexp_substr';
create function regexp_substr(text, text, integer default 1, integer default 1, text default '') returns varchar language sql immutable strict as $$
    select case when $4 < 1 or $4 > length($1) then null
        else coalesce(rs_pg_regexp_substr($1, $2, greatest($3, 1), $4, case when $5 ~ 'i' then 'i' else '' end,
            case when $5 ~ 'e' and $2 ~ '[(]' then 1 else 0 end), '')::varchar end $$;

-- JSON and SUPER, printed without blanks (DG/r_object_function.html, r_is_object.html, IS_VALID_JSON.html, and others).
create function rs_compact(super) returns super language plpgsql immutable strict as $$
begin
    case json_typeof($1)
        when 'object' then return (select ('{' || coalesce(string_agg(to_json(e.key)::text || ':' || rs_compact(e.value)::text, ',' order by e.place), '') || '}')::super
            from json_each($1) with ordinality as e (key, value, place));
        when 'array' then return (select ('[' || coalesce(string_agg(rs_compact(e.value)::text, ',' order by e.place), '') || ']')::super
            from json_array_elements($1) with ordinality as e (value, place));
        else return $1;
    end case;
end $$;
create function json_parse(text) returns super language sql immutable strict as 'select rs_compact($1::super)';
create function rs_json_type(text) returns text language plpgsql immutable strict as $$
begin
    return json_typeof($1::super);
exception when others then
    return 'invalid';
end $$;
create function is_valid_json(text) returns boolean language sql immutable strict as $$select rs_json_type($1) = 'object'$$;
create function is_valid_json_array(text) returns boolean language sql immutable strict as $$select rs_json_type($1) = 'array'$$;
create function can_json_parse(text) returns boolean language sql immutable strict as $$select rs_json_type($1) <> 'invalid'$$;
create function is_array(super) returns boolean language sql immutable strict as $$select json_typeof($1) = 'array'$$;
create function is_object(super) returns boolean language sql immutable strict as $$select json_typeof($1) = 'object'$$;
create function get_array_length(super) returns bigint language sql immutable strict as 'select json_array_length($1)::bigint';
create function split_to_array(text, text default ',') returns super language sql immutable strict as
    'select rs_compact(to_json(string_to_array($1, $2)))';

-- Digests: FNV-1a of 64 bits over the bytes of the value, lowest first (DG/r_FNV_HASH.html); CRC-32C
-- (DG/crc32-function.html); American Soundex (DG/SOUNDEX.html).
create function rs_fnv(bytes varbyte, seed numeric) returns bigint language plpgsql immutable strict as $$
declare
    hash numeric := case when seed < 0 then seed + 18446744073709551616 else seed end;
    low integer;
begin
    for i in 0 .. length(bytes) - 1 loop
        low := mod(hash, 256)::integer;
        hash := mod((hash - low + (low # get_byte(bytes, i))) * 1099511628211, 18446744073709551616);
    end loop;
    return case when hash >= 9223372036854775808 then hash - 18446744073709551616 else hash end;
end $$;
create function rs_little_endian(bytes varbyte) returns varbyte language sql immutable strict as $$
    select string_agg(substr(bytes, i, 1), ''::varbyte order by i desc) from generate_series(1, length(bytes)) as i $$;
create function fnv_hash(text, bigint default -3750763034362895579) returns bigint language sql immutable strict as
    $$select rs_fnv(convert_to($1, 'UTF8'), $2)$$;
create function fnv_hash(integer, bigint default -3750763034362895579) returns bigint language sql immutable strict as
    'select rs_fnv(rs_little_endian(int4send($1)), $2)';
create function fnv_hash(bigint, bigint default -3750763034362895579) returns bigint language sql immutable strict as
    'select rs_fnv(rs_little_endian(int8send($1)), $2)';
create function crc32(text) returns varchar language plpgsql immutable strict as $$
declare
    bytes varbyte := convert_to($1, 'UTF8');
    sum bigint := 4294967295;
begin
    for i in 0 .. length(bytes) - 1 loop
        sum := sum # get_byte(bytes, i);
        for bit in 1 .. 8 loop
            sum := case when sum & 1 = 1 then (sum >> 1) # 2197175160 else sum >> 1 end;
        end loop;
    end loop;
    return lpad(to_hex(sum # 4294967295), 8, '0');
end $$;
create function soundex(text) returns varchar language plpgsql immutable strict as $$
declare
    letters text := regexp_replace(upper($1), '[^A-Z]', '');
    codes text := translate(letters, 'BFPVCGJKQSXZDTLMNRAEIOUYHW', '11112222222233455600000099');
    result text := left(letters, 1);
    last text := left(codes, 1);
begin
    for i in 2 .. length(letters) loop
        -- Equal codes count once, also across H and W.
        if substr(codes, i, 1) <> '9' then
            if substr(codes, i, 1) not in ('0', last) then
                result := result || substr(codes, i, 1);
            end if;
            last := substr(codes, i, 1);
        end if;
    end loop;
    return case when result = '' then '' else rpad(left(result, 4), 4, '0') end;
end $$;
create function fnv_hash(smallint, bigint default -3750763034362895579) returns bigint language sql immutable strict as
    'select rs_fnv(rs_little_endian(int2send($1)), $2)';
create function fnv_hash(varbyte, bigint default -3750763034362895579) returns bigint language sql immutable strict as 'select rs_fnv($1, $2)';

-- The remaining forms of functions with optional arguments (DG/OCTETINDEX.html, r_LEN.html, REGEXP_REPLACE.html,
-- JSON_EXTRACT_PATH_TEXT.html, JSON_ARRAY_LENGTH.html, JSON_EXTRACT_ARRAY_ELEMENT_TEXT.html).
create function octetindex(text, text) returns integer language sql immutable strict as
    $$select position(convert_to($1, 'UTF8') in convert_to($2, 'UTF8'))$$;
create function len(varbyte) returns integer language sql immutable strict as 'select length($1)';
create function regexp_replace(text, text, text, integer, text) returns varchar language sql immutable strict as
    $$select regexp_replace($1, $2, $3, $4, 0, case when $5 ~ 'i' then 'i' else '' end)::varchar$$;
