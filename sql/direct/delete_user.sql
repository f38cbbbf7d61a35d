-- Deletes the landed records of user $1, who is erased.
/*each user_id column*/delete from landing_:kind where case when :key ~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$' then cast(split_part(:key, '.', 1) as bigint) end = cast($1 as bigint)/*end*/;
