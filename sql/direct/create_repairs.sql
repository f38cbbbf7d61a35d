-- Texts that had been encoded twice, with their repaired form.
create temp table landing_repairs (
    damaged long_text not null,
    meant long_text not null
) /*redshift diststyle all */;
