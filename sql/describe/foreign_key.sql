-- Declares a reference where a constraint is not enforced, but informs clients and planner.
/*redshift alter table ":table" add foreign key (":column") references ":other" (":column") */;
