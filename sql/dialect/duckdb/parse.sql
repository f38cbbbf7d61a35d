-- The syntax tree of one or more queries ($1) as JSON, or the parser's error. Other statements than
-- queries are errors, too.
select cast(json_serialize_sql(cast($1 as varchar)) as varchar) as tree;
