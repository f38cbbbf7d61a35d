-- Replaces the read-only transaction of a reader by one that may create temporary tables. It is never
-- committed.
rollback;
begin transaction isolation level repeatable read;
