-- Locations of all plays with a number, by which grouping is cheaper. The number is the same wherever
-- this fragment is included.
-- shared: page_numbered_locations
select
    location,
    row_number() over (order by f_bytes(location)) as place
from (
    select distinct location
    from songplays
    where location is not null
) as locations
