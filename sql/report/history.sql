-- question: which loads were there, newest first, and how did they end?
-- columns:
--   load: its number
--   started_at: UTC
--   seconds: how long it took
--   version: of the program
--   kind: full or incremental
--   objects: read
--   replaced: of these, objects that had been loaded before with other content
--   megabytes: of the objects as they lie
--   events: staged
--   songs: song records staged
--   rejects: records that could not be used
--   outcome: published or failed
--   message: why it failed
select
    load_id as load,
    started_at,
    f_round(cast(f_ms(finished_at) - f_ms(started_at) as double precision) / 1000) as seconds,
    version,
    kind,
    objects,
    replaced,
    (size_bytes / 1000000.0)::decimal(18, 1)::double precision as megabytes,
    events,
    songs,
    rejects,
    outcome,
    message
from etl_loads
order by load_id desc;
