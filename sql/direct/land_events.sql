-- Events as the warehouse fetched them, before they enter staging: a column a key of the record, by its name in lower case, so that names find each other whatever their case.
-- Nothing is `not null`: whether COPY then leaves out a record or ends is not said for certain. `running` tells rows apart that are the same.
drop table if exists landing_events;
create temp table landing_events (
    artist varchar /*redshift (2048) */,
    auth varchar,
    firstname varchar /*redshift (1024) */,
    gender varchar,
    iteminsession integer,
    lastname varchar /*redshift (1024) */,
    length double precision,
    level varchar,
    location varchar /*redshift (2048) */,
    method varchar,
    page varchar,
    registration double precision,
    sessionid bigint,
    song varchar /*redshift (2048) */,
    status integer,
    ts bigint,
    useragent varchar /*redshift (4096) */,
    userid bigint,
    running bigint /*redshift identity(0, 1) */
);
