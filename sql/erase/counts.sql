-- Number of rows about user $1.
select
    (select count(*) from staging_events where user_id = cast($1 as bigint)) as events,
    (select count(*) from songplays where user_id = cast($1 as bigint)) as plays,
    (select count(*) from users where user_id = cast($1 as bigint)) as users,
    (select count(*) from user_levels where user_id = cast($1 as bigint)) as levels;
