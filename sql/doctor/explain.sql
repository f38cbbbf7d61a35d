-- Plan of a statement, which does not run; no statement where plans are not analyzed.
/*postgres explain :statement *//*redshift explain :statement */;
