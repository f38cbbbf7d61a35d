-- Begins the transaction in which doctor runs its tests.
begin;
