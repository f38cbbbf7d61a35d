-- Undoes a load that failed.
rollback;
