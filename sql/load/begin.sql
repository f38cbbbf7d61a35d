-- One load is one transaction.
begin;
