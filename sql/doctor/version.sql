-- Which engine is it?
select cast(version() as varchar(256)) as version;
