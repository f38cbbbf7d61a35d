-- Has the planner count a table.
analyze ":table";
