-- Numbers of the last load and of the last published load; null before the first.
select
    max(load_id) as load_id,
    max(case when outcome = 'published' then load_id end) as published_id
from etl_loads;
