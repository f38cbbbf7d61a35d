-- True if the session's user may read the server's files or run programs there.
select
    rolsuper
    or pg_has_role(oid, 'pg_read_server_files', 'usage')
    or pg_has_role(oid, 'pg_write_server_files', 'usage')
    or pg_has_role(oid, 'pg_execute_server_program', 'usage') as is_superuser
from pg_roles
where rolname = session_user;
