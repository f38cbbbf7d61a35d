//! Tables: lengths in bytes, declared constraints, Redshift attributes, identity columns, UDFs.

use crate::client::{Client, emulator};

/// DG/r_Character_types.html.
#[test]
fn lengths_count_bytes_without_excess_blanks() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table t (a varchar(4), b text, c varchar, d varchar(max), e char(2))");
    let too_long = |length: &str| ("22001".to_owned(), format!("value too long for type {length}"));
    let error = client.code_and_message("insert into t (a) values ('\u{f6}\u{f6}x')");
    assert_eq!(error, too_long("character varying(4)"));
    let error = client.code_and_message("insert into t (a) values ('abcde')");
    assert_eq!(error, too_long("character varying(4)"));
    let error = client.code_and_message("insert into t (b) select repeat('\u{f6}', 129)");
    assert_eq!(error, too_long("character varying(256)"));
    let error = client.code_and_message("insert into t (c) select repeat('x', 257)");
    assert_eq!(error, too_long("character varying(256)"));
    let error = client.code_and_message("insert into t (d) select repeat('x', 65536)");
    assert_eq!(error, too_long("character varying(65535)"));
    let error = client.code_and_message("insert into t (e) values ('\u{f6}x')");
    assert_eq!(error, too_long("character(2)"));
    client.rows("insert into t (a, b) values ('\u{f6}\u{f6}', 'x'), ('\u{f6}\u{f6}  ', 'y'), ('abcd    ', 'z')");
    assert_eq!(client.value("select count(*) from t where a = '\u{f6}\u{f6}'"), "2");
    client.rows("alter table t alter column a type varchar(8)");
    client.rows("insert into t (a) values ('\u{f6}\u{f6}\u{f6}\u{f6}')");
    let error = client.code_and_message("insert into t (a) values ('\u{f6}\u{f6}\u{f6}\u{f6}x')");
    assert_eq!(error, too_long("character varying(8)"));
    client.rows("create table made as select a from t");
    let error = client.code_and_message("insert into made values ('\u{f6}\u{f6}\u{f6}\u{f6}x')");
    assert_eq!(error, too_long("character varying(8)"), "CREATE TABLE AS");
    client.rows("alter table t add column f varchar(1) encode zstd");
    let error = client.code_and_message("insert into t (f) values ('\u{f6}')");
    assert_eq!(error, too_long("character varying(1)"));
}

/// DG/t_Defining_constraints.html.
#[test]
fn constraints_are_not_enforced() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table u (a int unique, b int)");
    client.rows(
        "create table t (a int references u (a), b int not null, constraint k primary key (a, b), \
         foreign key (b) references u (a), unique (b))",
    );
    client.rows("insert into t values (1, 1), (1, 1)");
    assert_eq!(client.value("select count(*) from t"), "2");
    client.rows("alter table t add constraint more unique (a)");
    client.rows("insert into t values (1, 1)");
    let (code, message) = client.code_and_message("insert into t values (1, null)");
    assert_eq!(code, "23502", "{message}");
    assert_eq!(client.code_and_message("insert into t (b) values (1)").0, "23502");
}

/// DG/r_ALTER_TABLE.html names the view; DG/r_CREATE_TABLE_NEW.html allows one primary key.
#[test]
fn declared_keys_are_listed() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    let listed = |table: &str| {
        let rows = client.rows(&format!(
            "select constraint_type, count(*) from information_schema.table_constraints \
             where table_name = '{table}' group by constraint_type order by constraint_type"
        ));
        let lines =
            rows.iter().map(|row| row.iter().flatten().cloned().collect::<Vec<_>>().join(" "));
        lines.collect::<Vec<_>>()
    };
    client.rows("create table u (a int primary key, b int unique)");
    client.rows("create table if not exists u (a int primary key, b int unique)");
    assert_eq!(listed("u"), ["PRIMARY KEY 1", "UNIQUE 1"]);
    client.rows("create table t (a int not null references u (a), b int)");
    assert_eq!(listed("t"), ["FOREIGN KEY 1"]);
    client.rows("alter table t add primary key (a)");
    client.rows("alter table t add foreign key (b) references u (b)");
    let (code, message) = client.code_and_message("alter table t add primary key (a)");
    assert_eq!(code, "42P16", "{message}");
    assert_eq!(listed("t"), ["FOREIGN KEY 2", "PRIMARY KEY 1"]);
    client.rows("begin");
    client.rows("alter table t add constraint more unique (a)");
    client.rows("rollback");
    client.rows("alter table t add constraint more foreign key (b) references u (b)");
    assert_eq!(listed("t"), ["FOREIGN KEY 3", "PRIMARY KEY 1"]);
    client.rows("alter table t drop constraint more");
    assert_eq!(listed("t"), ["FOREIGN KEY 2", "PRIMARY KEY 1"]);
}

/// DG/r_CREATE_TABLE_NEW.html, DG/r_PG_TABLE_DEF.html, DG/r_SVV_TABLE_INFO.html.
#[test]
fn table_attributes_are_shown_by_system_views() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows(
        "create table t (a bigint encode az64, b varchar(10) encode raw, c timestamp) \
         diststyle key distkey (b) compound sortkey (c, a) backup no",
    );
    let shown = client.rows(
        "select \"column\", type, encoding, distkey, sortkey, \"notnull\" from pg_table_def where tablename = 't'",
    );
    let shown: Vec<String> = shown
        .iter()
        .map(|row| row.iter().flatten().cloned().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        shown,
        [
            "a bigint none f 2 f",
            "b character varying(10) none t 0 f",
            "c timestamp without time zone none f 1 f",
        ]
    );
    let style = |table: &str| {
        client.value(&format!("select diststyle from svv_table_info where \"table\" = '{table}'"))
    };
    assert_eq!(style("t"), "KEY(b)");
    client.rows("create table u diststyle all as select 1 as a");
    client.rows("create table v (like t); create table w (a int)");
    assert_eq!((style("u"), style("w")), ("ALL".to_owned(), "AUTO(ALL)".to_owned()));
    let sorted =
        client.value("select count(*) from pg_table_def where tablename = 'v' and sortkey > 0");
    assert_eq!(sorted, "2");
    client.rows("alter table w alter diststyle even");
    assert_eq!(style("w"), "EVEN");
}

/// DG/r_CREATE_TABLE_NEW.html: IDENTITY(seed, step).
#[test]
fn identity_columns_count_from_their_seed() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table t (a int identity(0, 2), b bigint generated by default as identity(5, 1), c int)");
    client.rows("insert into t (c) values (1), (2)");
    assert_eq!(client.value("select max(a) * 100 + max(b) from t"), "206");
    assert!(client.try_rows("insert into t (a) values (1)").is_err());
    client.rows("insert into t (b) values (1)");
}

/// DG/r_CREATE_FUNCTION.html, DG/udf-creating-a-scalar-sql-udf.html.
#[test]
fn sql_udfs_take_numbered_arguments() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows(
        "create or replace function f_epoch_ms (bigint) returns timestamp immutable as $$ \
         select dateadd(ms, $1 % 1000, timestamp 'epoch' + $1 / 1000 * interval '1 second') $$ language sql",
    );
    assert_eq!(client.value("select f_epoch_ms(1541106106796)"), "2018-11-01 21:01:46.796");
}

/// DG/r_CREATE_TABLE_NEW.html: a name that begins with # is a temporary table.
#[test]
fn temporary_tables_belong_to_their_session() {
    let emulator = emulator();
    let (one, other) = (Client::connect(&emulator), Client::connect(&emulator));
    one.rows("create table #t (a int); insert into #t values (1)");
    one.rows("create temp table u (b varchar(2))");
    assert_eq!(one.value("select count(*) from #t"), "1");
    assert_eq!(other.code_and_message("select count(*) from #t").0, "42P01");
    assert_eq!(one.code_and_message("insert into u values ('\u{f6}x')").0, "22001");
}
