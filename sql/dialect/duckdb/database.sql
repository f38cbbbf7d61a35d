-- Name of the open database.
select current_database() as name;
