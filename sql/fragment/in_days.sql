-- Filter of saved queries by day: from day $1, inclusive, to time $2, exclusive. A null parameter
-- does not filter.
-- arguments: moment
(cast($1 as timestamp) is null or :moment >= cast($1 as timestamp))
and (cast($2 as timestamp) is null or :moment < cast($2 as timestamp))
