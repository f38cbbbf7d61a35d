-- Whether whoever asks may read the server's files or run programs there.
select
    rolsuper
    or pg_has_role(oid, 'pg_read_server_files', 'usage')
    or pg_has_role(oid, 'pg_write_server_files', 'usage')
    or pg_has_role(oid, 'pg_execute_server_program', 'usage') as mighty
from pg_roles
where rolname = session_user;
