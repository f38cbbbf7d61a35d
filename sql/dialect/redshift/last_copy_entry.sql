-- Newest entry in the load history, before a COPY.
select max(query_id) as query_id from sys_load_history;
