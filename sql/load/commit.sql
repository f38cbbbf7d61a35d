-- One load is one transaction.
commit;
