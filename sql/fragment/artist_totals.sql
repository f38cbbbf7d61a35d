-- Totals of each artist, by logged name, of the filtered plays. Grouping by user first is cheaper
-- than counting distinct users.
-- shared: page_artist_totals
select
    by_artist.artist_name,
    by_artist.plays,
    by_artist.songs,
    by_user.listeners,
    by_artist.hours,
    by_artist.in_catalogue
from (
    select
        artist_name,
        cast(sum(plays) as bigint) as plays,
        count(distinct song_title) as songs,
        f_round(coalesce(sum(seconds), 0) / 3600) as hours,
        cast(sum(case when song_id is not null then plays else 0 end) as bigint) as in_catalogue
    from (
        /*include logged_songs() */
    ) as logged_songs
    where artist_name is not null
    group by artist_name
) as by_artist
join (
    select
        artist_name,
        count(user_id) as listeners
    from (
        select
            artist_name,
            user_id
        from songplays
        where /*include in_days(start_time) */
            and /*include at_level(level) */
            and artist_name is not null
        group by artist_name, user_id
    ) as pairs
    group by artist_name
) as by_user on by_user.artist_name = by_artist.artist_name
