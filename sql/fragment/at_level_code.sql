-- Filter by level, for numbers of level_code. A null parameter does not filter.
-- arguments: code, filter
(cast(:filter as varchar) is null or :code = /*include level_code(cast(:filter as varchar), :filter) */)
