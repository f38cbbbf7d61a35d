-- UDFs for DuckDB. They are temporary macros: each connection creates them, and the file stores
-- none.

-- Milliseconds since 1970-01-01 UTC as a timestamp.
create or replace temp macro f_epoch_ms(ms) as epoch_ms(ms);

-- A timestamp as milliseconds since 1970-01-01 UTC.
create or replace temp macro f_ms(moment) as epoch_ms(moment);

-- Text ordered by its UTF-8 bytes: the default order of DuckDB.
create or replace temp macro f_bytes(value) as value;

-- True if both values are equal or both are null.
create or replace temp macro f_same(one, other) as one is not distinct from other;

-- The identity of a play: md5 of session|item|ts|user (nothing after the last bar for a guest) as a
-- uuid.
create or replace temp macro f_songplay_id(session_id, item_in_session, ts, user_id) as
    md5(concat(session_id, '|', item_in_session, '|', ts, '|', user_id))::uuid;

-- Parts of a timestamp: ISO week; weekday from 0, Sunday, to 6, Saturday.
create or replace temp macro f_week(moment) as week(moment);
create or replace temp macro f_weekday(moment) as dayofweek(moment);

-- A double rounded half up to two decimals, since `round` differs between engines.
create or replace temp macro f_round(value) as floor(cast(value as double) * 100 + 0.5) / 100;

-- Share of `part` in `whole` in percent; null if `whole` is 0.
create or replace temp macro f_percent(part, whole) as
    floor(cast(part as double) / nullif(cast(whole as double), 0) * 10000 + 0.5) / 100;
