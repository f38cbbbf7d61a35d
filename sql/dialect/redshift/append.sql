-- Appends bytes $1 to a VARBYTE value (DG/r_VARBYTE_OPERATORS.html); the condition that selects the
-- row is appended.
update ":table" set ":column" = ":column" || $1 where;
