-- Tests that tables can be created, filled and dropped.
create table sparkify_doctor_probe (
    n bigint -- any number
);
insert into sparkify_doctor_probe values (1);
drop table sparkify_doctor_probe;
