-- Texts of song records that may have been encoded twice: they hold one of the characters $1, with which such a text begins to differ, and one of $2, with which it goes on.
-- Which of them were is judged where every text is. The bar behind each keeps apart what differs in blanks at its end alone.
select artist_id || '|' as suspect
from landing_songs
where octet_length(translate(artist_id, cast($1 as varchar(512)), '')) < octet_length(artist_id)
    and octet_length(translate(artist_id, cast($2 as varchar(512)), '')) < octet_length(artist_id)
union
select artist_location || '|' as suspect
from landing_songs
where octet_length(translate(artist_location, cast($1 as varchar(512)), '')) < octet_length(artist_location)
    and octet_length(translate(artist_location, cast($2 as varchar(512)), '')) < octet_length(artist_location)
union
select artist_name || '|' as suspect
from landing_songs
where octet_length(translate(artist_name, cast($1 as varchar(512)), '')) < octet_length(artist_name)
    and octet_length(translate(artist_name, cast($2 as varchar(512)), '')) < octet_length(artist_name)
union
select song_id || '|' as suspect
from landing_songs
where octet_length(translate(song_id, cast($1 as varchar(512)), '')) < octet_length(song_id)
    and octet_length(translate(song_id, cast($2 as varchar(512)), '')) < octet_length(song_id)
union
select title || '|' as suspect
from landing_songs
where octet_length(translate(title, cast($1 as varchar(512)), '')) < octet_length(title)
    and octet_length(translate(title, cast($2 as varchar(512)), '')) < octet_length(title);
