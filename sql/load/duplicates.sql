-- Number of staged plays that are copies of another one.
select
    (select count(*) from staging_events where page = 'NextSong') - (select count(*) from songplays) as duplicates;
