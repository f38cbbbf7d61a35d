-- UDFs for Redshift: scalar SQL UDFs (DG/udf-creating-a-scalar-sql-udf.html) in the schema of the
-- tables, since there are no temporary ones. A body is one expression over $1, $2 …; it cannot call
-- a UDF that is created later.

-- Milliseconds since 1970-01-01 UTC as a timestamp. Whole seconds and the remainder are added
-- separately: an integer times an interval is exact, a fraction times an interval need not be.
create or replace function f_epoch_ms(bigint) returns timestamp immutable as $$
    select timestamp '1970-01-01 00:00:00' + ($1 / 1000) * interval '1 second' + ($1 % 1000) * interval '1 millisecond'
$$ language sql;

-- A timestamp as milliseconds since 1970-01-01 UTC: DATEDIFF returns a BIGINT.
create or replace function f_ms(timestamp) returns bigint immutable as $$
    select datediff(ms, timestamp '1970-01-01 00:00:00', $1)
$$ language sql;

-- Text ordered by its UTF-8 bytes. Comparisons ignore trailing blanks, so the lowest character is
-- appended.
create or replace function f_bytes(varchar(65535)) returns varchar(65535) immutable as $$
    select $1 || chr(1)
$$ language sql;

-- True if both values are equal or both are null.
create or replace function f_same(bigint, bigint) returns boolean immutable as $$
    select case when $1 is null or $2 is null then $1 is null and $2 is null else $1 = $2 end
$$ language sql;

create or replace function f_same(double precision, double precision) returns boolean immutable as $$
    select case when $1 is null or $2 is null then $1 is null and $2 is null else $1 = $2 end
$$ language sql;

-- The identity of a play: md5 of session|item|ts|user (nothing after the last bar for a guest) in
-- the form of a uuid.
create or replace function f_songplay_id(bigint, integer, bigint, bigint) returns varchar(36) immutable as $$
    select substring(md5(cast($1 as varchar(20)) || '|' || cast($2 as varchar(20)) || '|' || cast($3 as varchar(20)) || '|' || coalesce(cast($4 as varchar(20)), '')), 1, 8)
        || '-' || substring(md5(cast($1 as varchar(20)) || '|' || cast($2 as varchar(20)) || '|' || cast($3 as varchar(20)) || '|' || coalesce(cast($4 as varchar(20)), '')), 9, 4)
        || '-' || substring(md5(cast($1 as varchar(20)) || '|' || cast($2 as varchar(20)) || '|' || cast($3 as varchar(20)) || '|' || coalesce(cast($4 as varchar(20)), '')), 13, 4)
        || '-' || substring(md5(cast($1 as varchar(20)) || '|' || cast($2 as varchar(20)) || '|' || cast($3 as varchar(20)) || '|' || coalesce(cast($4 as varchar(20)), '')), 17, 4)
        || '-' || substring(md5(cast($1 as varchar(20)) || '|' || cast($2 as varchar(20)) || '|' || cast($3 as varchar(20)) || '|' || coalesce(cast($4 as varchar(20)), '')), 21, 12)
$$ language sql;

-- The ISO week, computed from the day of the year of the week's Thursday, since the guide does not
-- define `extract(week …)` for every year.
create or replace function f_week(timestamp) returns integer immutable as $$
    select (cast(extract(doy from $1 + (3 - (cast(extract(dow from $1) as integer) + 6) % 7) * interval '1 day') as integer) - 1) / 7 + 1
$$ language sql;

-- The day of the week from 0, Sunday, to 6, Saturday.
create or replace function f_weekday(timestamp) returns integer immutable as $$
    select cast(extract(dow from $1) as integer)
$$ language sql;

-- A double rounded half up to two decimals, since `round` differs between engines.
create or replace function f_round(double precision) returns double precision immutable as $$
    select cast(floor($1 * 100 + 0.5) as double precision) / 100
$$ language sql;

-- Share of the first argument in the second in percent; null if the second is 0.
create or replace function f_percent(double precision, double precision) returns double precision immutable as $$
    select cast(floor($1 / nullif($2, 0) * 10000 + 0.5) as double precision) / 100
$$ language sql;
