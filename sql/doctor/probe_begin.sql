-- What doctor tries is taken back.
begin;
