-- One load, published or failed.
-- grain: one load; source: sparkify; a run that finds nothing new adds no row
-- rule: a failed load changes no other table; its counts are those known when it failed
-- key: load_id
create table if not exists etl_loads (
    load_id bigint not null, -- 1 for the first load, counting up
    started_at timestamp not null, -- UTC
    finished_at timestamp not null, -- UTC
    version label not null, -- of sparkify
    kind label not null, -- full: the model was rebuilt; incremental: only the affected keys were updated
    objects bigint not null, -- objects read
    replaced bigint not null, -- of these, objects that had been loaded before with other content
    size_bytes bigint not null, -- of the objects as stored in the source
    events bigint not null, -- events staged
    songs bigint not null, -- song records staged
    rejects bigint not null, -- records rejected
    repairs bigint not null, -- text values whose double encoding was repaired
    outcome label not null, -- published or failed
    message text -- error of a failed load; of a published one, the objects that were left for the next run, else null
    -- redshift: a few rows
) /*redshift diststyle all */;
