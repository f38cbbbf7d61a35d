-- Number of rejected records that the filter selects, by reason.
select
    r.reason,
    count(*) as rejects
from etl_rejects as r
join etl_objects as o on o.object_id = r.object_id
where /*include reject_filter() */
group by r.reason
order by rejects desc, f_bytes(r.reason);
