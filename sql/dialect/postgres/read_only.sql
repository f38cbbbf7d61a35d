-- Gives a reader one snapshot of the warehouse that it cannot change.
begin transaction isolation level repeatable read, read only;
