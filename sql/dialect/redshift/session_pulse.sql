-- What keeps a session alive that waits for its next statement.
select 1 as alive;
