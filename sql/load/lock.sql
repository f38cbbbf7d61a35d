-- Makes a second loader wait here, before it reads anything, on an engine without a load lock.
/*redshift lock table etl_loads */;
