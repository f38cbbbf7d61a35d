-- Process of this session, by which SYS views name it (DG/PG_BACKEND_PID.html).
select pg_backend_pid() as session_id;
