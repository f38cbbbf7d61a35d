-- Records that the COPY with entry $1 in the load history rejected.
select
    trim(file_name) as file_name,
    line_number,
    trim(column_name) as column_name,
    error_code,
    trim(error_message) as error_message
from sys_load_error_detail
where query_id = $1
order by file_name, line_number;
