-- Landing table of the records that the warehouse reads from objects itself: a column per JSON key,
-- named like the key in lower case, so that COPY matches keys of any case. No column is `not null`:
-- the guide does not say whether COPY then skips the record or fails. `running` distinguishes
-- identical rows.
-- Integers land as text, as they are written: the guide does not say what COPY makes of `2.5` in a
-- column of integers.
-- redshift: spread evenly and compressed; a temporary table is neither by default, and this one holds
-- every record of the load.
create temp table landing_:kind (
    /*each whole column*/:key varchar(64) /*redshift encode zstd */,/*end*/
    /*each user_id column*/:key varchar(64) /*redshift encode zstd */,/*end*/
    /*each other column*/:key :type /*redshift encode zstd */,/*end*/
    running bigint /*redshift identity(0, 1) encode az64 */
) /*redshift diststyle even */;
