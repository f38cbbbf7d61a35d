-- The current layout, and the first version of sparkify that reads it. Every later version of
-- sparkify keeps these two columns, so that an older one can name the version that is needed.
select
    layout,
    version
from etl_layout
order by layout desc
limit 1;
