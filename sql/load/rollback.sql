-- One load is one transaction.
rollback;
