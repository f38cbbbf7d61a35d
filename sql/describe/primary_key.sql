-- Declares the key of a table where a constraint is not enforced, but informs clients and planner.
/*redshift alter table ":table" add primary key (:columns) */;
