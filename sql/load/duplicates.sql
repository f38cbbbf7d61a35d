-- Plays that were staged more than once.
select
    (select count(*) from staging_events where page = 'NextSong') - (select count(*) from songplays) as duplicates;
