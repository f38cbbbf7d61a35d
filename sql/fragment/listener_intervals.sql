-- Users of all days and levels, excluding guests, by day and by the day before on which the user had
-- plays: at any level, at the level of the filter, at free and at paid; null if there is none. A user
-- counts in a period if the day before is in an earlier one. This holds for periods of any length, and
-- is cheaper than counting distinct users for each of them. PostgreSQL computes only the columns that a
-- query reads, unless they are grouped.
-- arguments: filter
-- shared: page_listener_intervals
select
    day,
    level_code,
    first_day,
    day_before,
    filtered_before,
    free_before,
    paid_before,
    count(*) /*postgres= 1 */ as users
from (
    select
        user_id,
        day,
        level_code,
        min(day) over (partition by user_id order by day rows between unbounded preceding and current row) as first_day,
        lag(day) over (partition by user_id order by day) as day_before,
        max(case when /*include at_level_code(level_code, :filter) */ then day end)
            over (partition by user_id order by day rows between unbounded preceding and 1 preceding) as filtered_before,
        max(case when level_code = 1 then day end)
            over (partition by user_id order by day rows between unbounded preceding and 1 preceding) as free_before,
        max(case when level_code = 2 then day end)
            over (partition by user_id order by day rows between unbounded preceding and 1 preceding) as paid_before
    from (
        /*include session_days(:filter) */
    ) as session_days
    where user_id is not null
) as intervals
/*duckdb group by day, level_code, first_day, day_before, filtered_before, free_before, paid_before *//*redshift group by day, level_code, first_day, day_before, filtered_before, free_before, paid_before */
