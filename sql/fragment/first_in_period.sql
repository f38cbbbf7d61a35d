-- True for a play whose play before, on day `before`, is not in the same period and range of days.
-- arguments: before, period
(:before is null or :before < :period or :before < cast($1 as timestamp))
