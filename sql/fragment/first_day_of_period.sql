-- First day of the day, week (Monday) or month of a time; a null choice means the day.
-- arguments: choice, moment
cast(case cast(:choice as varchar)
    when 'week' then date_trunc('week', :moment)
    when 'month' then date_trunc('month', :moment)
    else date_trunc('day', :moment)
end as date)
