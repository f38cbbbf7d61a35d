-- Sets the schema in which tables and UDFs are found, after the server's own, and returns version
-- and encoding.
select
    set_config('search_path', quote_ident(cast($1 as varchar)), false) as search_path,
    cast(current_setting('server_version_num') as integer) as version_number,
    current_setting('server_version') as version,
    current_setting('server_encoding') as encoding;
