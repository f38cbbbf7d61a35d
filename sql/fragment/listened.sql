-- Seconds of a play that count as time listened: its length, unless that is negative or more than a
-- day. Such a length is a mistake in the log, and a single one could exceed every sum.
-- arguments: length
case when :length between 0 and 86400 then :length end
