-- Every user of the landed records.
/*each user_id column*/select distinct case when :key ~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$' then cast(split_part(:key, '.', 1) as bigint) end as user_id from landing_:kind where :key is not null/*end*/;
