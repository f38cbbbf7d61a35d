-- Deletes the staged rows of user $1.
delete from staging_events
where user_id = cast($1 as bigint);
