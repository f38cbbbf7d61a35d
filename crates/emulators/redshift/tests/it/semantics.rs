//! Redshift semantics that differ from PostgreSQL: results of expressions, and unsupported syntax.

use crate::client::{Client, emulator};

/// Statement, expected value and page.
const EXPRESSIONS: &[(&str, &str, &str)] = &[
    (
        "select avg(a) from (select 1 as a union all select 1 union all select 2) as s",
        "1",
        "DG/r_AVG.html",
    ),
    ("select avg(a::bigint) from (select -1 as a union all select -2) as s", "-1", "DG/r_AVG.html"),
    (
        "select avg(a::double precision) from (select 1 as a union all select 2) as s",
        "1.5",
        "DG/r_AVG.html",
    ),
    ("select sum(a::bigint) / 2 from (select 3 as a) as s", "1", "DG/r_SUM.html"),
    (
        "select extract(epoch from timestamp '2018-11-01 21:01:46.796')",
        "1541106106",
        "DG/r_EXTRACT_function.html",
    ),
    ("select extract(dow from timestamp '2018-11-01') / 3", "1", "DG/r_EXTRACT_function.html"),
    ("select date_part(dow, timestamp '2018-11-01')", "4", "DG/r_DATE_PART_function.html"),
    (
        "select avg(a::decimal(5,2)) from (select 1 as a union all select 1 union all select 2) as s",
        "1.33",
        "DG/r_AVG.html",
    ),
    ("select regexp_replace('a1b22', '[0-9]', '#')", "a#b##", "DG/REGEXP_REPLACE.html"),
    ("select regexp_replace('a1b22', '[0-9]')", "ab", "DG/REGEXP_REPLACE.html"),
    (
        "select 'City of South San Francisco'::char(20)",
        "City of South San Fr",
        "DG/r_Examples_with_character_types.html",
    ),
    ("select '\u{f6}\u{f6}x'::varchar(4)", "\u{f6}\u{f6}", "DG/r_Character_types.html"),
    ("select ('a' || '\u{1f3b5}')::varchar(4)", "a", "DG/r_Character_types.html"),
    ("select 5/2", "2", "DG/r_OPERATOR_SYMBOLS.html"),
    ("select 'a '::varchar(5) = 'a'::varchar(5)", "t", "DG/r_Character_types.html"),
    ("select ' a' = 'a'", "f", "DG/r_Character_types.html"),
    (
        "select count(distinct a) from (select 'a' as a union all select 'a ') as s",
        "1",
        "DG/r_Character_types.html",
    ),
    (
        "select count(*) from (select 'a' as a) as l join (select 'a  ' as b) as r on l.a = r.b",
        "1",
        "DG/r_Character_types.html",
    ),
    (
        "select count(*) from (select 'a ' as a) as l where a in ('a', 'b')",
        "1",
        "DG/r_Character_types.html",
    ),
    ("select len('a\\\\b')", "3", "DG/r_Character_types.html"),
    ("select 'it\\'s'", "it's", "DG/r_Character_types.html"),
    ("select octet_length('Bj\u{f6}rk')", "6", "DG/r_OCTET_LENGTH.html"),
    ("select len('Bj\u{f6}rk')", "5", "DG/r_LEN.html"),
    ("select nvl(null, null, 3)", "3", "DG/r_NVL_function.html"),
    ("select nvl2(1, 'a', 'b')", "a", "DG/r_NVL2.html"),
    (
        "select datediff(day, timestamp '2018-11-01 23:59', timestamp '2018-11-02')",
        "1",
        "DG/r_DATEDIFF_function.html",
    ),
    (
        "select dateadd(ms, 796, timestamp '2018-11-01')",
        "2018-11-01 00:00:00.796",
        "DG/r_DATEADD_function.html",
    ),
    (
        "select timestamp 'epoch' + 1541106106796 / 1000 * interval '1 second'",
        "2018-11-01 21:01:46",
        "DG/r_Examples_with_datetime_types.html",
    ),
    (
        "select convert_timezone('UTC', 'US/Pacific', timestamp '2018-11-01 12:00')",
        "2018-11-01 05:00:00",
        "DG/CONVERT_TIMEZONE.html",
    ),
    ("select strtol('ff', 16)", "255", "DG/r_STRTOL.html"),
    ("select md5('a')", "0cc175b9c0f1b6a831c399e269772661", "DG/r_MD5.html"),
    (
        "select listagg(a, ',') within group (order by a desc) from letters",
        "y,x",
        "DG/r_LISTAGG.html",
    ),
    (
        "select json_extract_path_text('{\"a\": {\"b\": \"c\"}}', 'a', 'b')",
        "c",
        "DG/JSON_EXTRACT_PATH_TEXT.html",
    ),
    ("select pg_last_copy_id()", "-1", "DG/PG_LAST_COPY_ID.html"),
    (
        "select getdate() > '2020-01-01' and sysdate > '2020-01-01'",
        "t",
        "DG/r_GETDATE.html, DG/r_SYSDATE.html",
    ),
    (
        "select a from (select 'B' as a union all select 'a') as s order by a limit 1",
        "B",
        "DG/c_collation_sequences.html",
    ),
    ("select lower('\u{c4}')", "\u{e4}", "DG/r_LOWER.html"),
    (
        "select a from (select 1 as a union all select null) as s order by a desc limit 1",
        "(null)",
        "DG/r_ORDER_BY_clause.html",
    ),
    (
        "select trim(isolation_level) from stv_db_isolation_level",
        "Snapshot Isolation",
        "DG/c_serial_isolation.html",
    ),
];

#[test]
fn expressions_have_the_documented_results() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table letters (a varchar(9)); insert into letters values ('x'), ('y')");
    for (statement, expected, page) in EXPRESSIONS {
        assert_eq!(client.value(statement), *expected, "{statement}: {page}");
    }
}

/// The linter rejects what is not on the emulator's own list, and its error names the rule.
#[test]
fn linter_errors_name_their_rule() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    let error = client.error("select generate_series(1, 2)");
    assert_eq!(error.code().code(), "42601");
    let detail = error.detail().unwrap();
    assert!(
        detail.starts_with("rule `") && detail.contains("https://docs.aws.amazon.com/"),
        "{detail}"
    );
    assert_eq!(error.position(), Some(&tokio_postgres::error::ErrorPosition::Original(8)));
}

/// DG/cm_chap_ConfigurationRef.html: settings that PostgreSQL lacks are accepted.
#[test]
fn redshift_settings_are_accepted() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("set query_group to 'load'; set enable_result_cache_for_session to off");
    client.rows("set search_path to a, public; set extra_float_digits to 2");
    assert_eq!(client.value("show search_path"), "a, public");
    client.rows(
        "set parse_super_null_on_error to off; set enable_case_sensitive_super_attribute to on",
    );
    client.rows("set seed to .25");
    assert_eq!(client.value("show server_version"), "8.0.2");
    // DG/r_extra_float_digits.html: doubles have 15 digits by default.
    client.rows("set extra_float_digits to default");
    assert_eq!(client.value("select 0.1::float8 + 0.2::float8"), "0.3");
    client.rows("set extra_float_digits to 2");
    assert_eq!(client.value("select 0.1::float8 + 0.2::float8"), "0.30000000000000004");
    client.rows("reset query_group");
}

/// Statement, SQLSTATE, part of the message and page.
const UNSUPPORTED: &[(&str, &str, &str, &str)] = &[
    (
        "select e'a'",
        "42704",
        "type \"e\" does not exist",
        "DG/c_unsupported-postgresql-features.html",
    ),
    (
        "select now() from t",
        "0A000",
        "not supported on Redshift tables",
        "DG/c_SQL_functions_leader_node_only.html",
    ),
    (
        "insert into t select 1 on conflict do nothing",
        "42601",
        "\"on\"",
        "DG/c_unsupported-postgresql-features.html",
    ),
    (
        "insert into t values (1) returning a",
        "42601",
        "\"returning\"",
        "DG/c_unsupported-postgresql-features.html",
    ),
    ("savepoint a", "42601", "\"savepoint\"", "DG/c_unsupported-postgresql-features.html"),
    ("listen a", "42601", "\"listen\"", "DG/c_unsupported-postgresql-features.html"),
    ("copy t from stdin", "42601", "\"stdin\"", "DG/r_COPY.html"),
    ("copy t to stdout", "42601", "\"stdout\"", "DG/r_COPY.html"),
    (
        "create table u (a uuid)",
        "42704",
        "type \"uuid\" does not exist",
        "DG/c_unsupported-postgresql-datatypes.html",
    ),
    (
        "create table u (a jsonb)",
        "42704",
        "type \"jsonb\" does not exist",
        "DG/c_unsupported-postgresql-datatypes.html",
    ),
    (
        "create table u (a bytea)",
        "42704",
        "type \"bytea\" does not exist",
        "DG/c_unsupported-postgresql-datatypes.html",
    ),
    (
        "create table u (a serial)",
        "42704",
        "type \"serial\" does not exist",
        "DG/c_unsupported-postgresql-datatypes.html",
    ),
    (
        "create table u (a varchar(65536))",
        "42601",
        "the length 65536 of `varchar` is out of range",
        "DG/r_Character_types.html",
    ),
    ("create index i on t (a)", "42601", "\"create\"", "DG/c_unsupported-postgresql-features.html"),
    (
        "set standard_conforming_strings to on",
        "42601",
        "\"set\"",
        "DG/cm_chap_ConfigurationRef.html",
    ),
    (
        "unload ('select 1') to 's3://a/b' iam_role default",
        "0A000",
        "not supported by the emulator",
        "not a rule: a limitation of the emulator",
    ),
];

#[test]
fn unsupported_statements_are_rejected() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table t (a int)");
    for (statement, expected, part, page) in UNSUPPORTED {
        let (code, message) = client.code_and_message(statement);
        assert_eq!(code, *expected, "{statement}: {message}: {page}");
        assert!(message.contains(part), "{statement}: {message}: {page}");
    }
    assert_eq!(client.value("select count(*) from t"), "0");
}
