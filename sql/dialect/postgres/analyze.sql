-- Updates the planner's statistics of a table.
analyze ":table";
