-- Number of rows that the last COPY of this session loaded, and its query ID. SYS views may number
-- queries differently.
select pg_last_copy_count() as rows_loaded, pg_last_copy_id() as copy_id;
