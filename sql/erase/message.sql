-- Replaces the message of load $1.
update etl_loads
set message = 'erased: the message named a person'
where load_id = cast($1 as bigint);
