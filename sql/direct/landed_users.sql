-- Every user of the landed records.
/*each user_id column*/select distinct :key as user_id from landing_:kind where :key is not null/*end*/;
