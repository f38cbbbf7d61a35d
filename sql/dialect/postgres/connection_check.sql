-- Makes the server notice during a statement that the client was killed.
set client_connection_check_interval to '10s';
