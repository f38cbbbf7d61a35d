//! Which statements of anybody are run: only such as read, and none that reaches beyond the tables.
//!
//! The transaction that they run in cannot write. Beyond that, a statement must begin as one that answers rows does, so that none ends the transaction,
//! changes the session or copies to a program; and who may read the server's files by rank, a superuser above all, may not name the functions that do.
//! That last is a net with meshes: docs/postgres.md says to give people a role that may read the tables alone.

use super::{Postgres, dialect};
use sparkify_warehouse::Value;
use sparkify_warehouse::{Warehouse, WarehouseError};

/// How a statement that reads begins.
const READS: [&str; 6] = ["select", "with", "values", "table", "explain", "show"];
/// Parts of the names of functions that reach files, programs or other servers, run text as SQL, or change the session.
const REACHES: [&str; 17] = [
    "pg_read",
    "pg_ls_",
    "pg_stat_file",
    "pg_file",
    "pg_current_logfile",
    "pg_hba",
    "pg_ident",
    "lo_",
    "dblink",
    "_to_xml",
    "_to_xmlschema",
    "set_config",
    "pg_reload",
    "pg_terminate",
    "pg_cancel",
    "ts_stat",
    "u&",
];

/// What the role of a session may.
pub(super) struct Guard {
    /// Whether it may read the server's files or run programs there.
    mighty: bool,
}

impl Guard {
    pub(super) fn of(warehouse: &mut Postgres) -> Result<Self, WarehouseError> {
        let mighty =
            warehouse.query_file(&dialect::SUPERUSER, &[], 1)?.scalar() == Some(&Value::Bool(true));
        Ok(Self { mighty })
    }

    /// An error for a statement that is not run.
    pub(super) fn admit(&self, statement: &str) -> Result<(), WarehouseError> {
        let first = first_word(statement);
        if !READS.contains(&first.as_str()) {
            return Err(WarehouseError::Statement {
                message: format!("`{first}` is not run here: only statements that read are"),
                hint: Some(format!("begin with one of {}", READS.join(", "))),
            });
        }
        let text = statement.to_lowercase();
        match REACHES.iter().find(|name| self.mighty && text.contains(**name)) {
            None => Ok(()),
            Some(name) => Err(WarehouseError::Statement {
                message: format!(
                    "a superuser's statement with `{name}` in it is not run here: it may reach beyond the tables"
                ),
                hint: Some("connect as a role that may only read; docs/postgres.md has one".into()),
            }),
        }
    }
}

/// The first word behind blanks, comments and opening parentheses, in lower case.
fn first_word(statement: &str) -> String {
    let mut rest = statement;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == ';');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = behind_comment(comment);
        } else {
            let word = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_');
            return word.flat_map(char::to_lowercase).collect();
        }
    }
}

/// What follows a comment, which may hold others.
fn behind_comment(text: &str) -> &str {
    let (mut depth, mut rest) = (1, text);
    while depth > 0 {
        let Some(at) = rest.find(['*', '/']) else { return "" };
        let mark = rest.get(at..at + 2).unwrap_or("");
        depth = match mark {
            "/*" => depth + 1,
            "*/" => depth - 1,
            _ => depth,
        };
        rest = &rest[at + if ["/*", "*/"].contains(&mark) { 2 } else { 1 }..];
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_first_word() {
        for (statement, word) in [
            ("SELECT 1", "select"),
            (" -- x\n /* a /* b */ c */ ((with x as (select 1) select 1))", "with"),
            ("/* select */ commit", "commit"),
            ("/**/copy x to program 'y'", "copy"),
            ("/*", ""),
            ("", ""),
        ] {
            assert_eq!(first_word(statement), word, "{statement}");
        }
    }

    #[test]
    fn only_what_reads_is_admitted() {
        let (guard, mighty) = (Guard { mighty: false }, Guard { mighty: true });
        assert!(guard.admit("select pg_read_file('x')").is_ok());
        assert!(mighty.admit("select 1").is_ok());
        for statement in [
            "select pg_read_file('x')",
            "select \"PG_READ_binary_file\"('x')",
            "select set_config('role', 'x', true)",
        ] {
            assert!(mighty.admit(statement).is_err(), "{statement}");
        }
        for statement in [
            "commit",
            "do $$ $$",
            "copy a to program 'b'",
            "set role x",
            "call p()",
            "",
            "reset all",
        ] {
            assert!(guard.admit(statement).is_err(), "{statement}");
        }
    }
}
