-- Begins the transaction of a load: one load is one transaction.
begin;
