//! Filter of statements that a user wrote: only queries run, and none that accesses more than
//! tables.
//!
//! Their transaction is read-only. In addition, a statement must begin with a keyword of a query,
//! so that it cannot end the transaction, change the session or copy to a program.
//!
//! A role that may read the server's files, such as a superuser, runs no such statement unless the
//! user allows it. Then a deny-list of functions still prevents mistakes; it cannot be complete,
//! since functions can run text as SQL. docs/how-to/postgres.md creates a role that may only read the
//! tables.

use super::{Postgres, dialect};
use sparkify_warehouse::Value;
use sparkify_warehouse::{Warehouse, WarehouseError};

/// Keywords that begin a query.
const QUERY_KEYWORDS: [&str; 6] = ["select", "with", "values", "table", "explain", "show"];
/// Name parts of functions that access files, programs or other servers, run text as SQL, or change
/// the session.
const DENIED_NAMES: [&str; 18] = [
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
    "ts_rewrite",
    "u&",
];

/// Filter for the role of one session.
pub(super) struct StatementGuard {
    /// Name of the role, if it may read the server's files or run programs there.
    privileged: Option<String>,
    /// True if such a role may run statements.
    allows_superuser: bool,
}

impl StatementGuard {
    pub(super) fn new(
        warehouse: &mut Postgres,
        allows_superuser: bool,
    ) -> Result<Self, WarehouseError> {
        let found = warehouse.query_file(&dialect::SUPERUSER, &[], 1)?;
        let is_privileged = found.scalar() == Some(&Value::Bool(true));
        let privileged = is_privileged.then(|| warehouse.server.user.clone());
        Ok(Self { privileged, allows_superuser })
    }

    /// Returns an error for a statement that must not run.
    pub(super) fn check(&self, statement: &str) -> Result<(), WarehouseError> {
        let first = first_word(statement);
        if !QUERY_KEYWORDS.contains(&first.as_str()) {
            return Err(WarehouseError::Statement {
                message: format!("`{first}` is not a query, and the warehouse is open read-only"),
                hint: Some(format!("begin with one of {}", QUERY_KEYWORDS.join(", "))),
            });
        }
        let Some(role) = &self.privileged else { return Ok(()) };
        if !self.allows_superuser {
            return Err(WarehouseError::Statement {
                message: format!(
                    "the role `{role}` may read the server's files or run programs there, so it runs no SQL here"
                ),
                hint: Some(
                    "connect as a role that can only read the tables (docs/how-to/postgres.md creates one), or pass `--allow-superuser`".into(),
                ),
            });
        }
        let text = statement.to_lowercase();
        match DENIED_NAMES.iter().find(|name| text.contains(**name)) {
            None => Ok(()),
            Some(name) => Err(WarehouseError::Statement {
                message: format!(
                    "a statement with `{name}` is not allowed for a superuser: it may access more than tables"
                ),
                hint: Some(
                    "connect as a read-only role; docs/how-to/postgres.md creates one".into(),
                ),
            }),
        }
    }
}

/// Returns the first word after blanks, comments and opening parentheses, in lower case.
fn first_word(statement: &str) -> String {
    let mut rest = statement;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == ';');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = after_comment(comment);
        } else {
            let word = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_');
            return word.flat_map(char::to_lowercase).collect();
        }
    }
}

/// Returns the text after a comment, which may contain nested comments.
fn after_comment(text: &str) -> &str {
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
    fn the_first_word_follows_blanks_and_comments() {
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
    fn only_queries_are_allowed() {
        let guard = StatementGuard { privileged: None, allows_superuser: false };
        let privileged = Some("me".to_owned());
        let superuser = StatementGuard { privileged, allows_superuser: true };
        assert!(guard.check("select pg_read_file('x')").is_ok());
        let refused = StatementGuard { allows_superuser: false, ..superuser };
        assert!(refused.check("select 1").unwrap_err().to_string().contains("role `me`"));
        let superuser = StatementGuard { allows_superuser: true, ..refused };
        assert!(superuser.check("select 1").is_ok());
        for statement in [
            "select pg_read_file('x')",
            "select \"PG_READ_binary_file\"('x')",
            "select set_config('role', 'x', true)",
        ] {
            assert!(superuser.check(statement).is_err(), "{statement}");
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
            assert!(guard.check(statement).is_err(), "{statement}");
        }
    }
}
