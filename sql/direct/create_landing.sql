-- Landing table of the records that the warehouse reads from objects itself: a column per JSON key,
-- named like the key in lower case, so that COPY matches keys of any case. No column is `not null`:
-- the guide does not say whether COPY then skips the record or fails. `running` distinguishes
-- identical rows.
create temp table landing_:kind (
    /*each column*/:key :type,/*end*/
    running bigint /*redshift identity(0, 1) */
);
