-- One song of the catalogue.
-- grain: one song_id; source: staging_songs
-- rule: among several records, the first by: has a year, title, artist_id, duration, year; year 0 is unknown
-- key: song_id
-- from:
--   song_id: staging_songs.song_id
--   title: staging_songs.title
--   artist_id: staging_songs.artist_id
--   year: staging_songs.year, 0 as null
--   duration: staging_songs.duration
create table if not exists songs (
    song_id code /*redshift encode raw */ not null, -- key, SO...
    title text not null, -- as in the catalogue
    artist_id code not null, -- in artists
    year integer, -- of release, null when unknown
    duration double precision not null -- in seconds
    -- redshift: few rows even for a complete catalogue, joined with every play: a copy on each node
) /*redshift diststyle all sortkey(song_id) */;

delete from songs /*incremental using scope_songs where songs.song_id = scope_songs.song_id */;

insert into songs
with records as (
    select
        song_id,
        title,
        artist_id,
        nullif(year, 0) as year,
        duration
    from staging_songs
    /*incremental join scope_songs using (song_id) */
),

ranked as (
    select
        song_id,
        title,
        artist_id,
        year,
        duration,
        row_number() over (
            partition by song_id
            order by
                case when year is null then 1 else 0 end,
                f_bytes(title),
                f_bytes(artist_id),
                duration,
                year
        ) as place
    from records
)

select
    song_id,
    title,
    artist_id,
    year,
    duration
from ranked
where place = 1;
