-- Texts that had been encoded twice, with their repaired form.
drop table if exists landing_repairs;
create temp table landing_repairs (
    damaged long_text not null,
    meant long_text not null
);
