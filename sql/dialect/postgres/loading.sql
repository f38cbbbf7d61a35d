-- A load whose program was killed is noticed while its statement runs.
set client_connection_check_interval to '10s';
