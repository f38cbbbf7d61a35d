-- Landed rows that are not valid records: a required key is missing, a number is not whole or too
-- long to tell, or a time is outside the years 1 to 9999. A time that is no number is null in the
-- last comparison.
select
    running,
    /*each column separated by ,*/:key/*end*/
from landing_:kind
where /*each required column separated by or*/:key is null/*end*/
    /*each whole column*/or :key !~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$'/*end*/
    /*each user_id column*/or (:key <> '' and :key !~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$')/*end*/
    /*each epoch_ms column*/or case when :key ~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$' then cast(split_part(:key, '.', 1) as bigint) end not between -62135596800000 and 253402300799999/*end*/
order by running;
