-- query: how many of the users who first listened in a week listen in the weeks after?
-- parameters: since, until
-- columns:
--   cohort: Monday of the week of the users' first play, UTC; since and until filter by first play
--   weeks_after: 0 for the week of the first play
--   cohort_listeners: users of the cohort
--   listeners: of these, users who played in that week; a week without such users is left out
--   percent: share of the cohort
with firsts as (
    select
        user_id,
        min(start_time) as first_play
    from songplays
    where user_id is not null
    group by user_id
),

cohorts as (
    select
        user_id,
        cast(date_trunc('week', first_play) as date) as cohort
    from firsts
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
    active.cohort,
    active.weeks_after,
    sizes.cohort_listeners,
    active.listeners,
    f_percent(active.listeners, sizes.cohort_listeners) as "percent"
from active
join sizes on sizes.cohort = active.cohort
order by active.cohort, active.weeks_after;
