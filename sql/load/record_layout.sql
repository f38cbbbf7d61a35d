-- Records that the tables have layout $1, of version $2, since time $3. sparkify writes them as
-- literals, so that the plan of an upgrade shows the complete statement.
insert into etl_layout values ($1, $2, cast($3 as timestamp));
