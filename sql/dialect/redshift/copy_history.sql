-- Entries of COPY commands after entry $1 in the load history, newest first. It also contains the
-- running ones (DG/SYS_LOAD_HISTORY.html).
select
    query_id,
    session_id,
    trim(data_source) as data_source,
    trim(status) as status,
    loaded_rows,
    source_file_count,
    error_count
from sys_load_history
where query_id > $1
order by query_id desc;
