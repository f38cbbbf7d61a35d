-- Comment on a table, for clients of the warehouse. `:words` is a literal.
comment on table ":table" is :words;
