-- Functions of ours for DuckDB. They are temporary: each connection creates them, the file keeps none.

-- Milliseconds since 1970-01-01 UTC as a timestamp.
create or replace temp macro f_epoch_ms(ms) as epoch_ms(ms);

-- A timestamp as milliseconds since 1970-01-01 UTC.
create or replace temp macro f_ms(moment) as epoch_ms(moment);

-- Text in the order of its UTF-8 bytes: DuckDB's own.
create or replace temp macro f_bytes(value) as value;

-- Equal, or both null.
create or replace temp macro f_same(one, other) as one is not distinct from other;

-- The identity of a play: md5 of session|item|ts|user (nothing after the last bar for a guest) as a uuid.
create or replace temp macro f_songplay_id(session_id, item_in_session, ts, user_id) as
    md5(concat(session_id, '|', item_in_session, '|', ts, '|', user_id))::uuid;

-- Parts of a timestamp: ISO week; weekday from 0, Sunday, to 6, Saturday.
create or replace temp macro f_week(moment) as week(moment);
create or replace temp macro f_weekday(moment) as dayofweek(moment);

-- A double rounded to two places, halves upwards: `round` differs between engines.
create or replace temp macro f_round(value) as floor(cast(value as double) * 100 + 0.5) / 100;

-- What share of `whole` is `part`, in percent; null of nothing.
create or replace temp macro f_percent(part, whole) as
    floor(cast(part as double) / nullif(cast(whole as double), 0) * 10000 + 0.5) / 100;
