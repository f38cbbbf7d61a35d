-- How many texts of events had been encoded twice, by the place of their key among those of texts.
select 0 as place, count(*) as repairs
from landing_events
join landing_repairs on f_bytes(landing_events.artist) = f_bytes(landing_repairs.damaged)
union all
select 1, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.auth) = f_bytes(landing_repairs.damaged)
union all
select 2, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.firstname) = f_bytes(landing_repairs.damaged)
union all
select 3, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.gender) = f_bytes(landing_repairs.damaged)
union all
select 4, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.lastname) = f_bytes(landing_repairs.damaged)
union all
select 5, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.level) = f_bytes(landing_repairs.damaged)
union all
select 6, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.location) = f_bytes(landing_repairs.damaged)
union all
select 7, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.method) = f_bytes(landing_repairs.damaged)
union all
select 8, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.page) = f_bytes(landing_repairs.damaged)
union all
select 9, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.song) = f_bytes(landing_repairs.damaged)
union all
select 10, count(*)
from landing_events
join landing_repairs on f_bytes(landing_events.useragent) = f_bytes(landing_repairs.damaged);
