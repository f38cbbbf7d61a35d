-- Version of the engine.
select cast(version() as varchar(256)) as version;
