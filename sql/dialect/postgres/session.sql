-- Session settings, whatever the server's are: UTC, one exact text form of dates and doubles, read
-- committed.
set time zone 'UTC';
set datestyle to 'ISO, MDY';
set intervalstyle to 'postgres';
set bytea_output to 'hex';
set extra_float_digits to 1;
set standard_conforming_strings to on;
set default_transaction_isolation to 'read committed';
set default_transaction_read_only to off;
set idle_in_transaction_session_timeout to 0;
set client_min_messages to warning;
-- JIT compilation costs more than it saves on these statements.
set jit to off;
