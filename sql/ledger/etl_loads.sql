-- One load, published or failed.
-- grain: one load; source: the program; a run that found nothing new leaves no row
-- rule: a failed load changed no other table; its counts are those that were known when it failed
-- key: load_id
create table if not exists etl_loads (
    load_id bigint not null, -- 1 for the first load, counting up
    started_at timestamp not null, -- UTC
    finished_at timestamp not null, -- UTC
    version varchar /*postgres collate "C" */ not null, -- of the program
    kind varchar /*postgres collate "C" */ not null, -- full: the model was made anew; incremental: only the keys that the load touched
    objects bigint not null, -- objects read
    replaced bigint not null, -- of these, objects that had been loaded before with other content
    size_bytes bigint not null, -- of the objects, as they lie in the source
    events bigint not null, -- events staged
    songs bigint not null, -- song records staged
    rejects bigint not null, -- records that could not be used
    repairs bigint not null, -- text values that had been encoded twice
    outcome varchar /*postgres collate "C" */ not null, -- published or failed
    message varchar /*postgres collate "C" */ /*redshift (2048) */ -- why it failed; null when it was published
    -- redshift: a few rows
) /*redshift diststyle all */;
