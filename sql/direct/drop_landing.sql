-- Drops a landing table.
drop table landing_:kind;
