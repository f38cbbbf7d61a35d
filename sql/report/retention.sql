-- query: how many of the users who first listened in a week listen in the weeks after?
-- parameters: since, until
-- columns:
--   cohort: Monday of the week of the users' first play, UTC, newest first; since and until filter by first play
--   weeks_after: 0 for the week of the first play
--   cohort_listeners: users of the cohort
--   listeners: of these, users who played in that week; a week in which no user played at all has no row
--   percent: share of the cohort
--   complete: 1 if the plays reach to the end of the week; 0 for a week that may still grow
with listener_intervals as (
    /*include listener_intervals(null) */
),

weeks as (
    select
        cast(date_trunc('week', first_day) as date) as cohort,
        cast(date_trunc('week', day) as date) as week,
        first_day,
        day_before,
        users
    from listener_intervals
),

-- Weeks with plays, and the last day with a play.
periods as (
    select
        plays.week,
        max(plays.last_day) over () as last_day
    from (
        select
            cast(date_trunc('week', day) as date) as week,
            max(day) as last_day
        from (
            select distinct cast(start_time as date) as day
            from songplays
        ) as days
        group by cast(date_trunc('week', day) as date)
    ) as plays
),

active as (
    select
        cohort,
        cast((week - cohort) / 7 as integer) as weeks_after,
        sum(users) as listeners
    from weeks
    where (day_before is null or day_before < week)
        and /*include in_days(first_day) */
    group by cohort, cast((week - cohort) / 7 as integer)
),

sizes as (
    select
        cohort,
        listeners as cohort_listeners
    from active
    where weeks_after = 0
)

select
    sizes.cohort,
    cast((periods.week - sizes.cohort) / 7 as integer) as weeks_after,
    cast(sizes.cohort_listeners as bigint) as cohort_listeners,
    cast(coalesce(active.listeners, 0) as bigint) as listeners,
    f_percent(coalesce(active.listeners, 0), sizes.cohort_listeners) as "percent",
    case when periods.last_day - periods.week >= 6 then 1 else 0 end as complete
from sizes
join periods on periods.week >= sizes.cohort
left join active
    on active.cohort = sizes.cohort
    and active.weeks_after = cast((periods.week - sizes.cohort) / 7 as integer)
order by sizes.cohort desc, cast((periods.week - sizes.cohort) / 7 as integer);
