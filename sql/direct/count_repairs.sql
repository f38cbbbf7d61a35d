-- Number of landed values to repair, by the position of their column among the text columns.
/*each text column separated by union all*/
select :place as place, count(*) as repairs
from landing_:kind
join landing_repairs on f_bytes(landing_:kind.:key) = f_bytes(landing_repairs.damaged)
/*end*/;
