-- Number of keys of each kind that every table declares, where keys are declared
-- (DG/r_ALTER_TABLE.html names the view).
/*redshift select
    table_name,
    constraint_type,
    count(*) as keys
from information_schema.table_constraints
where table_schema = current_schema() and constraint_type in ('PRIMARY KEY', 'FOREIGN KEY')
group by table_name, constraint_type */;
