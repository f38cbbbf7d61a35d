-- Where our tables and functions are looked for, those that come with the server first; and what the server is.
select
    set_config('search_path', quote_ident(cast($1 as varchar)), false) as search_path,
    cast(current_setting('server_version_num') as integer) as version_number,
    current_setting('server_version') as version,
    current_setting('server_encoding') as encoding;
