-- Who reads sees one state of the warehouse, and can change nothing.
begin transaction isolation level repeatable read, read only;
