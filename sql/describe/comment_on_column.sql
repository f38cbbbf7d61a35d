-- Comment on a column, for clients of the warehouse. `:words` is a literal.
comment on column ":table".":column" is :words;
