-- Replaces landed texts that had been encoded twice: a statement per text column, in column order.
/*each text column separated by ;*/
update landing_:kind
set :key = landing_repairs.meant
from landing_repairs
where f_bytes(landing_:kind.:key) = f_bytes(landing_repairs.damaged)
/*end*/;
