-- Events that were fetched and are none by rule: what each needs is missing, or `ts` is outside of the years 1 to 9999.
select
    running,
    artist,
    auth,
    firstname,
    gender,
    iteminsession,
    lastname,
    length,
    level,
    location,
    method,
    page,
    registration,
    sessionid,
    song,
    status,
    ts,
    useragent,
    userid
from landing_events
where ts is null
    or page is null
    or sessionid is null
    or iteminsession is null
    or ts < -62135596800000
    or ts > 253402300799999
order by running;
