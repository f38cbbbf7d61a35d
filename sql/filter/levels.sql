-- Subscription levels of the plays, each once.
select distinct level
from user_levels
order by level;
