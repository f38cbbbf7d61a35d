-- Errors of COPY in files whose names contain $1.
select
    trim(file_name) as file_name,
    line_number,
    trim(column_name) as column_name,
    error_code,
    trim(error_message) as error_message
from sys_load_error_detail
where strpos(file_name, $1) > 0
order by start_time desc, file_name, line_number
limit 3;
