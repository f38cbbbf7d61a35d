-- Publishes a load.
commit;
