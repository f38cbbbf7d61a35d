-- query: which loads ran, newest first, and how did each end?
-- columns:
--   load: load number
--   started_at: UTC
--   seconds: duration
--   version: of sparkify
--   kind: full or incremental
--   objects: objects read
--   replaced: of these, objects that had been loaded before with other content
--   megabytes: size of the objects as stored in the source
--   events: events staged
--   songs: song records staged
--   rejects: records rejected
--   outcome: published or failed
--   message: error of a failed load, or objects that were left for the next run
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
