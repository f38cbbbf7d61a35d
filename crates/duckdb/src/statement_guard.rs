//! Guard of statements that a user wrote: exactly one statement runs, and it is a query.
//!
//! `DuckDB` opens the file read-only, but that does not protect the file itself: a `copy … to` may
//! name it, or its write-ahead log, also without external access. So `DuckDB`'s own parser judges
//! each statement before anything runs: `json_serialize_sql` accepts only queries, and returns
//! their syntax tree. Table functions in the tree must be on an allow-list, because some of them
//! have effects (`enable_logging`, `force_checkpoint`) or run text as SQL (`query`).

use duckdb::Connection;
use serde_json::Value as Json;

use sparkify_warehouse::{Opening, WarehouseError};

use super::{ENGINE, dialect, statement_error};

/// Table functions that only compute, or read the catalog.
const TABLE_FUNCTIONS: &[&str] = &[
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_databases",
    "duckdb_dependencies",
    "duckdb_extensions",
    "duckdb_functions",
    "duckdb_indexes",
    "duckdb_keywords",
    "duckdb_memory",
    "duckdb_optimizers",
    "duckdb_schemas",
    "duckdb_sequences",
    "duckdb_settings",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "icu_calendar_names",
    "json_each",
    "json_tree",
    "pg_timezone_names",
    "pragma_collations",
    "pragma_database_size",
    "pragma_show",
    "pragma_storage_info",
    "pragma_table_info",
    "pragma_version",
    "range",
    "repeat",
    "repeat_row",
    "summary",
    "test_all_types",
    "unnest",
];
/// Table functions that read files.
const FILE_FUNCTIONS: &[&str] = &[
    "glob",
    "parquet_file_metadata",
    "parquet_kv_metadata",
    "parquet_metadata",
    "parquet_scan",
    "parquet_schema",
    "read_blob",
    "read_csv",
    "read_csv_auto",
    "read_json",
    "read_json_auto",
    "read_json_objects",
    "read_json_objects_auto",
    "read_ndjson",
    "read_ndjson_auto",
    "read_ndjson_objects",
    "read_parquet",
    "read_text",
    "sniff_csv",
];

/// Guard of one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatementGuard {
    /// True if a query may read files.
    pub(super) allows_files: bool,
}

impl StatementGuard {
    /// Returns an error for a statement that must not run.
    pub(super) fn check(
        self,
        connection: &Connection,
        statement: &str,
    ) -> Result<(), WarehouseError> {
        // `explain` does not run its statement, but `explain analyze` does: what is explained must
        // be a query, too. Options are in parentheses, and so may be the query.
        let mut candidates = vec![statement];
        if let Some(rest) = after_word(statement, "explain") {
            let rest = after_word(rest, "analyze").unwrap_or(rest);
            candidates = vec![rest];
            candidates.extend(after_options(rest));
        }
        let mut refused = None;
        for text in candidates {
            match self.check_query(connection, text) {
                Ok(()) => return Ok(()),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    fn check_query(self, connection: &Connection, text: &str) -> Result<(), WarehouseError> {
        let parse = dialect::PARSE.statement(Opening::full(ENGINE));
        let parsed: String = connection
            .query_row(&parse, [text], |row| row.get(0))
            .map_err(|error| statement_error(&error))?;
        let parsed: Json = serde_json::from_str(&parsed).map_err(|error| {
            refused(format!("cannot check the statement: {error}"), "simplify the statement")
        })?;
        if parsed["error"] != Json::Bool(false) {
            return Err(not_a_query(text, &parsed));
        }
        match parsed["statements"].as_array().map_or(0, Vec::len) {
            0 => return Err(refused("there is no statement to run", "give one query")),
            1 => {}
            _ => {
                return Err(refused(
                    "more than one statement was given",
                    "run one statement at a time; `sparkify shell` runs several in a row",
                ));
            }
        }
        let mut functions = Vec::new();
        table_functions(&parsed["statements"], &mut functions);
        let is_allowed = |name: &&str| {
            let name = name.to_lowercase();
            TABLE_FUNCTIONS.contains(&name.as_str())
                || (self.allows_files && FILE_FUNCTIONS.contains(&name.as_str()))
        };
        match functions.into_iter().find(|name| !is_allowed(name)) {
            None => Ok(()),
            Some(name) if FILE_FUNCTIONS.contains(&name.to_lowercase().as_str()) => Err(refused(
                format!("the table function `{name}` reads files, which is disabled here"),
                "pass `--allow-files` to `sparkify query` to read files",
            )),
            Some(name) => Err(refused(
                format!("the table function `{name}` is not allowed here"),
                "use tables, views, and functions without effects, such as `range` and `unnest`",
            )),
        }
    }
}

/// Collects the names of the table functions in a syntax tree.
fn table_functions<'a>(node: &'a Json, names: &mut Vec<&'a str>) {
    match node {
        Json::Array(nodes) => nodes.iter().for_each(|node| table_functions(node, names)),
        Json::Object(fields) => {
            if fields.get("type").and_then(Json::as_str) == Some("TABLE_FUNCTION") {
                // A function that is called in a form without a name is not on the allow-list.
                let name = fields.get("function").and_then(|it| it["function_name"].as_str());
                names.push(name.unwrap_or("?"));
            }
            fields.values().for_each(|node| table_functions(node, names));
        }
        _ => {}
    }
}

fn refused(message: impl Into<String>, hint: &str) -> WarehouseError {
    WarehouseError::Statement { message: message.into(), hint: Some(hint.to_owned()) }
}

/// Returns the error for a text that is no query, from the parser's answer.
fn not_a_query(text: &str, answer: &Json) -> WarehouseError {
    if answer["error_type"] != "parser" {
        return refused(
            "the statement is not a query, and the warehouse is open read-only",
            "use SELECT, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN, or PIVOT with IN; load data with `sparkify etl`",
        );
    }
    let reason = answer["error_message"].as_str().unwrap_or("syntax error");
    let at = answer["position"].as_str().and_then(|at| at.parse().ok()).unwrap_or(0);
    let message = format!("Parser Error: {reason}{}", line_with_mark(text, at));
    WarehouseError::Statement { message, hint: None }
}

/// Returns the line of `text` that has the character `at`, and a mark below it, as `DuckDB` does.
fn line_with_mark(text: &str, at: usize) -> String {
    let at = text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
    let before = &text[..at];
    let number = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let head = format!("LINE {number}: ");
    let blanks = head.len() + before[start..].chars().count();
    format!("\n\n{head}{line}\n{:blanks$}^", "")
}

/// Returns the text after `word`, if it is the first word of `text` after blanks and comments.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = after_blanks(text);
    let (first, rest) = text.split_at_checked(word.len())?;
    let ends = !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    (first.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// Returns the text after options in parentheses, such as `(analyze, format json)`.
fn after_options(text: &str) -> Option<&str> {
    let (options, rest) = after_blanks(text).strip_prefix('(')?.split_once(')')?;
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | ',' | ' ' | '\t' | '\n');
    options.chars().all(is_plain).then_some(rest)
}

/// Returns the text after blanks and comments.
fn after_blanks(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        text = if let Some(comment) = text.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(comment) = text.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, rest)| rest)
        } else {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, allows_files: bool) -> Result<(), String> {
        let connection = Connection::open_in_memory().unwrap();
        let guard = StatementGuard { allows_files };
        guard.check(&connection, statement).map_err(|error| error.to_string())
    }

    #[test]
    fn queries_pass() {
        for statement in [
            "select 1",
            "select 1;",
            "-- why\nfrom range(3)",
            "values (1), (2)",
            "with a as (select 1 as x) select * from a",
            "(select 1) union all (select 2)",
            "table songs",
            "show tables",
            "describe songs",
            "summarize select 1",
            "explain select 1",
            "EXPLAIN /* all */ ANALYZE select 1",
            "explain (format json) select 1",
            "explain (select 1)",
            "select * from unnest([1, 2]) as t(x), generate_series(1, 3)",
            "pivot (select 1 as a, 2 as b) on a in (1, 2) using sum(b)",
            "select count(*) from songplays where level = $1",
            "from 'data.csv'",
        ] {
            assert_eq!(check(statement, false), Ok(()), "{statement}");
        }
    }

    #[test]
    fn statements_that_write_or_reach_further_are_refused() {
        for statement in [
            "",
            "-- nothing",
            "select 1; select 2",
            "select 1; copy (select 1) to 'x'",
            "copy (select 1) to 'sparkify.duckdb' (format csv, use_tmp_file false)",
            "explain analyze copy (select 1) to 'x'",
            "explain copy (select 1) to 'x'",
            "explain (analyze) insert into a values (1)",
            "explain select 1; drop table a",
            "export database 'x'",
            "attach 'x'",
            "checkpoint",
            "force checkpoint",
            "call enable_logging(storage = 'file')",
            "from enable_logging(storage = 'file', storage_path = 'x')",
            "from \"Enable_Logging\"()",
            "from enable_profiling()",
            "from force_checkpoint('x')",
            "select * from query('select 1')",
            "select (select count(*) from query_table('a'))",
            "with a as (from query('select 1')) select * from a where exists (from checkpoint())",
            "select * from json_execute_serialized_sql('{}')",
            "pragma version",
            "set memory_limit = '9GB'",
            "insert into a values (1)",
            "create temp table a as select 1",
            "prepare p as select 1",
            "execute p",
            "begin",
            "load httpfs",
        ] {
            for allows_files in [false, true] {
                assert!(check(statement, allows_files).is_err(), "{statement}");
            }
        }
    }

    #[test]
    fn files_are_read_only_if_allowed() {
        for statement in ["from read_text('x')", "select * from GLOB('*')", "from read_blob('x')"] {
            assert!(check(statement, false).unwrap_err().contains("reads files"), "{statement}");
            assert_eq!(check(statement, true), Ok(()), "{statement}");
        }
    }

    #[test]
    fn syntax_errors_show_their_line() {
        let error = check("select 1,\n  é x y z", false).unwrap_err();
        assert!(error.contains("syntax error at or near \"y\""), "{error}");
        assert!(error.ends_with("LINE 2:   é x y z\n              ^"), "{error}");
    }
}
