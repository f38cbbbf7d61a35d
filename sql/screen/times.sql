-- screen: plays_have_their_time, unique_time, no_stray_times
-- Each play is joined with its times. A column is 0 only if the test of its name passes: there is no
-- play without a time, and no time without a play; and there are as many pairs as plays, so no time
-- occurs twice.
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
-- Materialized for DuckDB: see sql/README.md.
with plays as /*duckdb materialized */ (
    select start_time
    from songplays
),

times as /*duckdb materialized */ (
    select start_time
    from time
),

pairs as (
    select
        count(*) as pairs,
        count(plays.start_time) as played,
        count(times.start_time) as listed
    from plays
    full join times on times.start_time = plays.start_time /*redshift + interval '0 seconds' */
)

select
    pairs - listed as plays_have_their_time,
    pairs - (select count(*) from plays) as unique_time,
    pairs - played as no_stray_times
from pairs;
