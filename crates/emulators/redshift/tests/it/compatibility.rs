//! Forms that Redshift documents or real clients send, and PostgreSQL 15 does not accept: lateral
//! aliases, date parts, implicit conversions, names, catalog queries.

use crate::client::{Client, emulator};

fn client_with_plays(emulator: &redshift_emulator::Emulator) -> Client {
    let client = Client::connect(emulator);
    client.rows(
        "create table plays (id int, code varchar(20), start_time timestamp, price decimal(5, 2));
         insert into plays values (1, '1', '2008-11-30 21:01:46.796', 1.5), (2, 'x', '2009-02-28', 2), (3, '3.0', null, 3)",
    );
    client
}

/// Statement, expected first value, page or source.
const RESULTS: &[(&str, &str, &str)] = &[
    // A column of FROM takes precedence over an alias.
    (
        "select sum from (select id * 10 as ten, ten + 1 as eleven, eleven + ten as sum from plays where id = 1)",
        "21",
        "r_SELECT_list",
    ),
    (
        "select eleven from (select id * 10 as ten, ten + 1 as eleven from plays) where ten = 10",
        "11",
        "r_SELECT_list",
    ),
    (
        "select two from (select 5 as id, id + 1 as two from plays where code = 'x')",
        "3",
        "r_SELECT_list",
    ),
    (
        "select hour from (select start_time as started, extract(hour from started) as hour from plays where id = 1)",
        "21",
        "r_SELECT_list",
    ),
    (
        "select twice from (select sum(id) as total, total * 2 as twice from plays)",
        "12",
        "r_SELECT_list",
    ),
    (
        "with s as (select id as a, a + 1 as b from plays) select max(b) from s",
        "4",
        "r_SELECT_list",
    ),
    // DG/c_Supported_data_types.html: numbers become text, but text becomes a decimal.
    ("select count(*) from plays where code = id", "1", "c_Supported_data_types"),
    ("select count(*) from plays where code = 1", "1", "c_Supported_data_types"),
    ("select count(*) from plays where code in (1, 2)", "1", "c_Supported_data_types"),
    ("select count(*) from plays where code = 3.0 and code <> 'x'", "1", "c_Supported_data_types"),
    ("select count(*) from plays where start_time like '2008%'", "1", "c_Supported_data_types"),
    ("select count(*) from plays where start_time not like '2008%'", "1", "c_Supported_data_types"),
    ("select count(*) from plays where id like '1%'", "1", "c_Supported_data_types"),
    ("select listagg(id, ',') within group (order by id desc) from plays", "3,2,1", "r_LISTAGG"),
    ("select listagg(price) within group (order by id) from plays", "1.502.003.00", "r_LISTAGG"),
    // The database of the client.
    ("select count(*) from dev.public.plays", "3", "cross-database_usage"),
    (
        "select dev.public.plays.code from dev.public.plays where dev.public.plays.id = 2",
        "x",
        "cross-database_usage",
    ),
    (
        "select count(*) from public.plays, (select 1) join (select 2) on true",
        "3",
        "r_FROM_clause30",
    ),
    (
        "select table_catalog from information_schema.tables where table_name = 'plays'",
        "dev",
        "r_CURRENT_DATABASE",
    ),
    // Date parts by any of their names.
    (
        "select extract(dw from start_time) from plays where id = 1",
        "0",
        "r_Dateparts_for_datetime_functions",
    ),
    (
        "select extract(yearday from start_time) from plays where id = 1",
        "335",
        "r_Dateparts_for_datetime_functions",
    ),
    (
        "select extract(cents from start_time) from plays where id = 1",
        "21",
        "r_Dateparts_for_datetime_functions",
    ),
    (
        "select extract(millisec from start_time) from plays where id = 1",
        "796",
        "r_Dateparts_for_datetime_functions",
    ),
    (
        "select extract(microsec from start_time) from plays where id = 1",
        "0",
        "r_Dateparts_for_datetime_functions",
    ),
    (
        "select date_trunc('qtrs', start_time) from plays where id = 1",
        "2008-10-01 00:00:00",
        "r_DATE_TRUNC",
    ),
    (
        "select datediff(yrs, start_time, '2010-01-01') from plays where id = 1",
        "2",
        "r_DATEDIFF_function",
    ),
    (
        "select datediff(microsecs, '2008-01-01', '2008-01-01 00:00:01')",
        "1000000",
        "r_DATEDIFF_function",
    ),
    ("select datediff(decs, '2000-01-01', '2011-01-01')", "1", "r_DATEDIFF_function"),
    (
        "select dateadd(weeks, 1, start_time) from plays where id = 2",
        "2009-03-07 00:00:00",
        "r_DATEADD_function",
    ),
    (
        "select datediff(day, text, start_time) from (select start_time, '2008-11-01'::varchar as text from plays where id = 1)",
        "29",
        "r_DATEDIFF_function",
    ),
    (
        "select dateadd(day, 1, text) from (select '2008-11-01'::varchar as text)",
        "2008-11-02 00:00:00",
        "r_DATEADD_function",
    ),
    ("select dateadd(year, 1, '2016-02-29')", "2017-03-01 00:00:00", "r_DATEADD_function"),
    ("select dateadd(year, 4, '2016-02-29')", "2020-02-29 00:00:00", "r_DATEADD_function"),
    (
        "select add_months(start_time, 3) from plays where id = 1",
        "2009-02-28 21:01:46.796",
        "r_ADD_MONTHS",
    ),
    ("select next_day('2014-08-26', 'Tue')", "2014-09-02", "r_NEXT_DAY"),
    // Functions.
    ("select concat('a', null) is null", "t", "r_CONCAT"),
    ("select concat('a'::varbyte, 'b'::varbyte)", "6162", "r_VARBYTE_OPERATORS"),
    ("select regexp_substr('abc', '[0-9]+') = ''", "t", "REGEXP_SUBSTR"),
    ("select regexp_substr('a12b345', '([0-9]+)b', 1, 1, 'e')", "12", "REGEXP_SUBSTR"),
    ("select is_valid_json_array('[1,2,]')", "f", "IS_VALID_JSON_ARRAY"),
    ("select is_valid_json('[1,2,3]')", "f", "IS_VALID_JSON"),
    ("select can_json_parse('{')", "f", "CAN_JSON_PARSE"),
    ("select is_object(json_parse('[1]'))", "f", "r_is_object"),
    (
        "select json_serialize(json_parse('{ \"a\" : [1, \"b c\"] }'))",
        "{\"a\":[1,\"b c\"]}",
        "JSON_SERIALIZE",
    ),
    ("select pg_catalog.lower('A')", "a", "r_LOWER"),
    // Catalog queries.
    ("select count(*) from pg_class where relname = 'plays'", "1", "c_join_PG"),
    ("select reldiststyle from pg_class where relname = 'plays'", "10", "r_PG_CLASS_INFO"),
    (
        "select format_type(a.atttypid, a.atttypmod) from pg_attribute a where attname = 'price'",
        "numeric(5,2)",
        "c_join_PG",
    ),
    ("select table_type from svv_tables where table_name = 'plays'", "BASE TABLE", "r_SVV_TABLES"),
    (
        "select data_type from svv_columns where table_name = 'plays' and column_name = 'code'",
        "character varying",
        "r_SVV_COLUMNS",
    ),
    (
        "select column_name from svv_redshift_columns where table_name = 'plays' and ordinal_position = 1",
        "id",
        "SVV_REDSHIFT_COLUMNS",
    ),
    ("select count(*) from svv_external_schemas", "0", "r_SVV_EXTERNAL_SCHEMAS"),
    ("show transaction isolation level", "repeatable read", "sqlalchemy-redshift"),
];

#[test]
fn documented_forms_have_their_results() {
    let emulator = emulator();
    let client = client_with_plays(&emulator);
    for (statement, expected, page) in RESULTS {
        assert_eq!(client.value(statement), *expected, "{statement}: {page}");
        // In a transaction block too, which stays usable.
        client.rows("begin");
        assert_eq!(client.value(statement), *expected, "{statement}: {page}");
        assert_eq!(client.value("select 1"), "1", "{statement}");
        client.rows("rollback");
    }
}

/// Statement, SQLSTATE, part of the message.
const REFUSED: &[(&str, &str, &str)] = &[
    ("select id as a, b as c from plays", "42703", "\"b\" does not exist"),
    ("select later, id as later from plays", "42703", "\"later\" does not exist"),
    (
        "select id as a from plays where a in (select a from plays as p)",
        "42703",
        "\"a\" does not exist",
    ),
    (
        "select count(*) from other.public.plays",
        "0A000",
        "cross-database references are not implemented",
    ),
    ("select extract(fortnight from start_time) from plays", "42601", "unknown date part"),
    ("select dateadd('fortnight', 1, '2008-01-01'::timestamp) from pg_class", "22023", "fortnight"),
    ("select dateadd(fortnight, 1, start_time) from plays", "42601", "unknown date part"),
    ("select to_varbyte('a', 'base64')", "22023", "invalid format"),
    ("select next_day('2014-08-26', 'x')", "22023", "invalid day"),
    ("select count(*) from plays where price = 'x'", "22P02", "invalid input syntax"),
    (
        "select count(*) from plays where code = 1.0 and id = 2 or code = 2.5",
        "22P02",
        "invalid input syntax",
    ),
    (
        "select partname from plays pivot (count(*) for id in (1, 2))",
        "0A000",
        "PIVOT is not supported by the emulator",
    ),
    (
        "select id from plays connect by prior id = id",
        "0A000",
        "CONNECT BY is not supported by the emulator",
    ),
    ("select * exclude id from plays", "0A000", "EXCLUDE is not supported by the emulator"),
];

#[test]
fn other_forms_are_refused() {
    let emulator = emulator();
    let client = client_with_plays(&emulator);
    for (statement, code, part) in REFUSED {
        let (found, message) = client.code_and_message(statement);
        assert_eq!(found, *code, "{statement}: {message}");
        assert!(message.contains(part), "{statement}: {message}");
    }
}

/// Statements that create relations from queries with lateral aliases, and SELECT INTO.
#[test]
fn relations_of_queries_are_created() {
    let emulator = emulator();
    let client = client_with_plays(&emulator);
    client.rows(
        "create table times as (select start_time as t, extract(year from t) as year from plays)",
    );
    client.rows("create table positions distkey (2) sortkey (1, 2) as select id, code from plays");
    let keys =
        client.rows("select diststyle, sortkey1 from svv_table_info where \"table\" = 'positions'");
    assert_eq!(keys, [[Some("KEY(code)".to_owned()), Some("id".to_owned())]]);
    client.rows(
        "create view hours as select start_time as t, extract(hour from t) as hour from plays",
    );
    client.rows("select id as a, a + 1 as b into #temporary from plays");
    assert_eq!(client.value("select max(year) from times"), "2009");
    assert_eq!(client.value("select max(hour) from dev.public.hours"), "21");
    assert_eq!(client.value("select sum(b) from #temporary"), "9");
    assert_eq!(client.value("select count(*) from svv_tables where table_name = '#temporary' and table_schema = 'public'"), "0");
}
