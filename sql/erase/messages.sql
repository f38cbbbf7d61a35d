-- Messages of loads.
select
    load_id,
    message
from etl_loads
where message is not null;
