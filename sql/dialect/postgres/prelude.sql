-- UDFs for PostgreSQL, in the schema of sparkify's tables, so that readers need no right to create
-- any. Each is one expression, which the planner inlines.

-- Milliseconds since 1970-01-01 UTC as a timestamp, exact for every year.
create or replace function f_epoch_ms(ms bigint) returns timestamp language sql immutable parallel safe as $$
    select timestamp '1970-01-01' + make_interval(days => (ms / 86400000)::integer, secs => (ms % 86400000)::double precision / 1000)
$$;

-- A timestamp as milliseconds since 1970-01-01 UTC.
create or replace function f_ms(moment timestamp) returns bigint language sql immutable parallel safe as $$
    select floor(extract(epoch from moment) * 1000)::bigint
$$;

-- Text ordered by its UTF-8 bytes: columns are declared with collation "C".
create or replace function f_bytes(value text) returns text language sql immutable parallel safe as $$
    select value
$$;

-- True if both values are equal or both are null.
create or replace function f_same(one anyelement, other anyelement) returns boolean language sql immutable parallel safe as $$
    select one is not distinct from other
$$;

-- The identity of a play: md5 of session|item|ts|user (nothing after the last bar for a guest) as a
-- uuid.
create or replace function f_songplay_id(session_id bigint, item_in_session bigint, ts bigint, user_id bigint)
returns uuid language sql immutable parallel safe as $$
    select md5(session_id::text || '|' || item_in_session::text || '|' || ts::text || '|' || coalesce(user_id::text, ''))::uuid
$$;

-- Parts of a timestamp: ISO week; weekday from 0, Sunday, to 6, Saturday.
create or replace function f_week(moment timestamp) returns integer language sql immutable parallel safe as $$
    select extract(week from moment)::integer
$$;
create or replace function f_weekday(moment timestamp) returns integer language sql immutable parallel safe as $$
    select extract(dow from moment)::integer
$$;

-- A double rounded half up to two decimals, since `round` differs between engines.
create or replace function f_round(value double precision) returns double precision language sql immutable parallel safe as $$
    select floor(value * 100 + 0.5) / 100
$$;

-- Share of `part` in `whole` in percent; null if `whole` is 0.
create or replace function f_percent(part double precision, whole double precision)
returns double precision language sql immutable parallel safe as $$
    select floor(part / nullif(whole, 0) * 10000 + 0.5) / 100
$$;
