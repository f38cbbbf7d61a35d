-- Landed rows that are not valid records: a required key is missing, or a time is outside the years
-- 1 to 9999.
select
    running,
    /*each column separated by ,*/:key/*end*/
from landing_:kind
where /*each required column separated by or*/:key is null/*end*/
    /*each epoch_ms column*/or :key < -62135596800000 or :key > 253402300799999/*end*/
order by running;
