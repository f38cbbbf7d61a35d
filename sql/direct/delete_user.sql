-- Deletes the landed records of user $1, who is erased.
/*each user_id column*/delete from landing_:kind where :key = cast($1 as bigint)/*end*/;
