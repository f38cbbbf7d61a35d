-- Every name that was logged with user $1.
select distinct
    first_name,
    last_name
from staging_events
where user_id = cast($1 as bigint) and first_name is not null and last_name is not null;
