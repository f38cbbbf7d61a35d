-- True if the session may create temporary tables: not on a standby server.
select has_database_privilege(current_database(), 'temporary') and not pg_is_in_recovery() as is_allowed;
