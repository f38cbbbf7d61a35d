-- Landed texts that may have been encoded twice: they hold a character of $1, the first bytes of
-- multi-byte characters, and one of $2, the bytes that follow. sparkify decides which of them were.
-- The appended bar keeps texts apart that differ only in trailing blanks.
/*each text column separated by union*/
select :key || '|' as candidate
from landing_:kind
where octet_length(translate(:key, cast($1 as varchar(512)), '')) < octet_length(:key)
    and octet_length(translate(:key, cast($2 as varchar(512)), '')) < octet_length(:key)
/*end*/;
