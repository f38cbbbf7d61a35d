-- What doctor tries is taken back.
rollback;
