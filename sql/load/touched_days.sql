-- Days of affected plays, since 1970.
select distinct day
from scope_days;
