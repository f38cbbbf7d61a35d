-- query: how many of the users who first listened in a week listen in the weeks after?
-- parameters: since, until
-- columns:
--   cohort: Monday of the week of the users' first play, UTC, newest first; since and until filter by first play
--   weeks_after: 0 for the week of the first play
--   cohort_listeners: users of the cohort
--   listeners: of these, users who played in that week; a week in which no user played at all has no row
--   percent: share of the cohort
--   complete: 1 if the plays reach to the end of the week; 0 for a week that may still grow
with first_plays as (
    /*include first_plays() */
),

cohorts as (
    select
        user_id,
        cast(date_trunc('week', first_play) as date) as cohort
    from first_plays
    where /*include in_days(first_play) */
),

sizes as (
    select
        cohort,
        count(*) as cohort_listeners
    from cohorts
    group by cohort
),

weeks as (
    select distinct
        user_id,
        cast(date_trunc('week', start_time) as date) as week
    from songplays
    where user_id is not null
),

-- Weeks with plays, and the last day with a play.
periods as (
    select
        plays.week,
        max(plays.last_day) over () as last_day
    from (
        select
            cast(date_trunc('week', start_time) as date) as week,
            max(cast(start_time as date)) as last_day
        from songplays
        group by cast(date_trunc('week', start_time) as date)
    ) as plays
),

active as (
    select
        cohorts.cohort,
        cast((weeks.week - cohorts.cohort) / 7 as integer) as weeks_after,
        count(*) as listeners
    from cohorts
    join weeks on weeks.user_id = cohorts.user_id
    group by cohorts.cohort, cast((weeks.week - cohorts.cohort) / 7 as integer)
)

select
    sizes.cohort,
    cast((periods.week - sizes.cohort) / 7 as integer) as weeks_after,
    sizes.cohort_listeners,
    coalesce(active.listeners, 0) as listeners,
    f_percent(coalesce(active.listeners, 0), sizes.cohort_listeners) as "percent",
    case when periods.last_day - periods.week >= 6 then 1 else 0 end as complete
from sizes
join periods on periods.week >= sizes.cohort
left join active
    on active.cohort = sizes.cohort
    and active.weeks_after = cast((periods.week - sizes.cohort) / 7 as integer)
order by sizes.cohort desc, cast((periods.week - sizes.cohort) / 7 as integer);
