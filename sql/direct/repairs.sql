-- Texts that had been encoded twice, and what was meant.
drop table if exists landing_repairs;
create temp table landing_repairs (
    damaged varchar /*redshift (4096) */ not null,
    meant varchar /*redshift (4096) */ not null
);
