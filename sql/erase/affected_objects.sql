-- Records the objects with rows of user $1.
insert into scope_objects
select distinct
    object_id,
    0
from staging_events
where user_id = cast($1 as bigint);
