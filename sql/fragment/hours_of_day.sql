-- CTEs `digits`, 0 to 9, and `hours`, 0 to 23, for results that have a row even where there are no
-- plays.
digits as (
    select 0 as digit
    union all select 1
    union all select 2
    union all select 3
    union all select 4
    union all select 5
    union all select 6
    union all select 7
    union all select 8
    union all select 9
),

hours as (
    select tens.digit * 10 + ones.digit as hour
    from digits as tens
    cross join digits as ones
    where tens.digit * 10 + ones.digit < 24
)
