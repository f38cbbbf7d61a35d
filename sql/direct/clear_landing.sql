-- Empties the landing table before the remaining objects are read again, without those of which
-- COPY rejected records.
delete from landing_:kind;
