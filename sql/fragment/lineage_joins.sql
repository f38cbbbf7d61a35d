-- Joins a staged row with its object, its group of objects and its load.
-- arguments: row
join etl_objects as o on o.object_id = :row.object_id
left join (
    select group_id, count(*) as members
    from etl_objects
    group by group_id
) as g on g.group_id = o.group_id
join etl_loads as l on l.load_id = :row.load_id
