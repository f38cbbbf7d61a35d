-- Filter of saved queries by level $3. A null parameter does not filter.
-- arguments: level
(cast($3 as varchar) is null or :level = cast($3 as varchar))
