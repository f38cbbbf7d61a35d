-- Layout 2, of sparkify 0.2.0: the warehouse records its layout.
-- Layout 1 is that of sparkify 0.1.0. Both have the same columns, types, collations, encodings,
-- distribution and sort keys; the rules of the model are the same, so no row is rebuilt.
-- Descriptions as comments and declared keys follow from the files of the tables.
create table etl_layout (
    layout bigint not null,
    version label not null,
    applied_at timestamp not null
) /*redshift diststyle all */;
