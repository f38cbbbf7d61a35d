-- Where two loaders could meet in the middle of their transactions, the second waits here, before it has read anything.
/*redshift lock table etl_loads */;
