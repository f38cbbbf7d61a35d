-- May tables be made, filled, read and dropped?
create table sparkify_doctor_probe (
    n bigint -- nothing that anybody needs
);
insert into sparkify_doctor_probe values (1);
drop table sparkify_doctor_probe;
