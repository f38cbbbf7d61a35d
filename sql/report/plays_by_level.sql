-- question: how much do free and paid users listen?
select
    level,
    count(*) as plays,
    count(distinct user_id) as listeners,
    round(sum(length) / 3600.0, 2) as hours
from songplays
group by level
order by plays desc, f_bytes(level);
