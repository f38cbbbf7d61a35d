-- Number of rejected records that are counted, but not kept.
select coalesce(sum(rows_rejected), 0) - (select count(*) from etl_rejects) as not_kept
from etl_objects;
