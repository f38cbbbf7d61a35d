-- Texts of events that may have been encoded twice: they hold one of the characters $1, with which such a text begins to differ, and one of $2, with which it goes on.
-- Which of them were is judged where every text is. The bar behind each keeps apart what differs in blanks at its end alone.
select artist || '|' as suspect
from landing_events
where octet_length(translate(artist, cast($1 as varchar(512)), '')) < octet_length(artist)
    and octet_length(translate(artist, cast($2 as varchar(512)), '')) < octet_length(artist)
union
select auth || '|' as suspect
from landing_events
where octet_length(translate(auth, cast($1 as varchar(512)), '')) < octet_length(auth)
    and octet_length(translate(auth, cast($2 as varchar(512)), '')) < octet_length(auth)
union
select firstname || '|' as suspect
from landing_events
where octet_length(translate(firstname, cast($1 as varchar(512)), '')) < octet_length(firstname)
    and octet_length(translate(firstname, cast($2 as varchar(512)), '')) < octet_length(firstname)
union
select gender || '|' as suspect
from landing_events
where octet_length(translate(gender, cast($1 as varchar(512)), '')) < octet_length(gender)
    and octet_length(translate(gender, cast($2 as varchar(512)), '')) < octet_length(gender)
union
select lastname || '|' as suspect
from landing_events
where octet_length(translate(lastname, cast($1 as varchar(512)), '')) < octet_length(lastname)
    and octet_length(translate(lastname, cast($2 as varchar(512)), '')) < octet_length(lastname)
union
select level || '|' as suspect
from landing_events
where octet_length(translate(level, cast($1 as varchar(512)), '')) < octet_length(level)
    and octet_length(translate(level, cast($2 as varchar(512)), '')) < octet_length(level)
union
select location || '|' as suspect
from landing_events
where octet_length(translate(location, cast($1 as varchar(512)), '')) < octet_length(location)
    and octet_length(translate(location, cast($2 as varchar(512)), '')) < octet_length(location)
union
select method || '|' as suspect
from landing_events
where octet_length(translate(method, cast($1 as varchar(512)), '')) < octet_length(method)
    and octet_length(translate(method, cast($2 as varchar(512)), '')) < octet_length(method)
union
select page || '|' as suspect
from landing_events
where octet_length(translate(page, cast($1 as varchar(512)), '')) < octet_length(page)
    and octet_length(translate(page, cast($2 as varchar(512)), '')) < octet_length(page)
union
select song || '|' as suspect
from landing_events
where octet_length(translate(song, cast($1 as varchar(512)), '')) < octet_length(song)
    and octet_length(translate(song, cast($2 as varchar(512)), '')) < octet_length(song)
union
select useragent || '|' as suspect
from landing_events
where octet_length(translate(useragent, cast($1 as varchar(512)), '')) < octet_length(useragent)
    and octet_length(translate(useragent, cast($2 as varchar(512)), '')) < octet_length(useragent);
