-- Keep-alive of a session that waits for its next statement.
select 1 as alive;
