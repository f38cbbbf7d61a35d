-- Events as the warehouse fetched them, before they enter staging: a column a key of the record, by its name in lower case, so that names find each other whatever their case.
-- What a record needs is `not null` here, so that a record without it is refused while its object is known. `running` tells rows apart that are the same.
drop table if exists landing_events;
create temp table landing_events (
    artist varchar /*redshift (2048) */,
    auth varchar,
    firstname varchar /*redshift (1024) */,
    gender varchar,
    iteminsession integer not null,
    lastname varchar /*redshift (1024) */,
    length double precision,
    level varchar,
    location varchar /*redshift (2048) */,
    method varchar,
    page varchar not null,
    registration double precision,
    sessionid bigint not null,
    song varchar /*redshift (2048) */,
    status integer,
    ts bigint not null,
    useragent varchar /*redshift (4096) */,
    userid bigint,
    running bigint /*redshift identity(0, 1) */
);
