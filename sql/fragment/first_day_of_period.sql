-- First day of the day, week (Monday), month or quarter of a time; a null choice means the day.
-- arguments: choice, moment
cast(case cast(:choice as varchar)
    when 'week' then date_trunc('week', :moment)
    when 'month' then date_trunc('month', :moment)
    when 'quarter' then date_trunc('quarter', :moment)
    else date_trunc('day', :moment)
end as date)
