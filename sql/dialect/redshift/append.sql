-- More bytes of a row whose first ones are there: $1 behind them (DG/r_VARBYTE_OPERATORS.html). Which row it is stands behind this.
update ":table" set ":column" = ":column" || $1 where;
