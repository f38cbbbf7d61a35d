-- Number of a level, by which grouping is cheaper: 1 free, 2 paid, 3 another level that the filter
-- selects, 0 any other.
-- arguments: level, filter
cast(case when :level = 'free' then 1 when :level = 'paid' then 2 when :level = cast(:filter as varchar) then 3 else 0 end as smallint)
