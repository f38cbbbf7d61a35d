-- The cluster's record of the last COPY of this session.
select
    trim(status) as status,
    loaded_rows,
    source_file_count,
    error_count
from sys_load_history
where query_id = pg_last_copy_id();
