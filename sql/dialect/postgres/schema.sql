-- Where our tables and functions are looked for; those that come with the server come first.
select set_config('search_path', quote_ident(cast($1 as varchar)), false) as search_path;
