//! Allowed statements, and the dispatch on their first keyword.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::rules::{self, Rule, RuleKind, dg};
use crate::scope::Position;

macro_rules! statements {
    ($($kind:ident $keywords:literal $page:literal;)*) => {
        /// Kind of an allowed statement.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum StatementKind {
            $(#[doc = concat!("`", $keywords, "`")] $kind,)*
        }

        /// All kinds with their keywords and page.
        const STATEMENTS: &[(StatementKind, &str, &str)] =
            &[$((StatementKind::$kind, $keywords, dg!($page))),*];
    };
}

statements! {
    Select "select" "r_SELECT_synopsis";
    SelectInto "select … into" "r_SELECT_INTO";
    Insert "insert" "r_INSERT_30";
    Delete "delete" "r_DELETE";
    Update "update" "r_UPDATE";
    Merge "merge" "r_MERGE";
    Truncate "truncate" "r_TRUNCATE";
    Copy "copy" "r_COPY";
    CopyJob "copy … job create, copy job drop" "r_COPY-JOB";
    CopyJobCommand "copy job alter | run | list | show" "r_COPY-JOB";
    Unload "unload" "r_UNLOAD";
    CreateTable "create table" "r_CREATE_TABLE_NEW";
    CreateTableAs "create table … as" "r_CREATE_TABLE_AS";
    CreateView "create view" "r_CREATE_VIEW";
    CreateSchema "create schema" "r_CREATE_SCHEMA";
    CreateFunction "create function … language sql" "r_CREATE_FUNCTION";
    DropTable "drop table" "r_DROP_TABLE";
    DropView "drop view" "r_DROP_VIEW";
    DropSchema "drop schema" "r_DROP_SCHEMA";
    DropFunction "drop function" "r_DROP_FUNCTION";
    AlterTable "alter table" "r_ALTER_TABLE";
    AlterColumnType "alter table … alter column … type" "r_ALTER_TABLE";
    AlterTableAppend "alter table … append" "r_ALTER_TABLE_APPEND";
    Analyze "analyze" "r_ANALYZE";
    Vacuum "vacuum" "r_VACUUM_command";
    Lock "lock" "r_LOCK";
    Begin "begin" "r_BEGIN";
    Commit "commit, end" "r_COMMIT";
    Rollback "rollback, abort" "r_ROLLBACK";
    Set "set" "r_SET";
    Show "show" "r_SHOW";
    Reset "reset" "r_RESET";
    Grant "grant" "r_GRANT";
    Revoke "revoke" "r_REVOKE";
    Comment "comment" "r_COMMENT";
    Explain "explain" "r_EXPLAIN";
    Declare "declare" "declare";
    Fetch "fetch" "fetch";
    Close "close" "close";
}

impl StatementKind {
    /// Returns true if the statement commits the transaction that contains it.
    pub fn commits_implicitly(self) -> bool {
        self == Self::Truncate
    }

    /// Returns true if the statement returns rows.
    pub fn returns_rows(self) -> bool {
        matches!(self, Self::Select | Self::Fetch | Self::Show | Self::Explain)
    }
}

/// The statements as allow-list entries.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    STATEMENTS.iter().map(|(_, id, page)| Rule::allowed(RuleKind::Statement, id, page))
}

impl Parser<'_> {
    /// Parses one statement without its `;`.
    pub(crate) fn statement(&mut self) -> Parsed<StatementKind> {
        let token = self.peek();
        match token.text.to_ascii_lowercase().as_str() {
            _ if token.kind == TokenKind::Parameter => self.unexpected("a statement"),
            "create" => self.create(),
            "drop" => self.drop_object(),
            "alter" => self.alter_table(),
            "copy" => self.copy(),
            "unload" => self.unload(),
            "merge" => self.merge(),
            "truncate" => self.truncate(),
            "analyze" | "analyse" => self.analyze(),
            "vacuum" => self.vacuum(),
            "grant" => self.grant(),
            "revoke" => self.revoke(),
            "comment" => self.comment(),
            "begin" | "start" => self.begin(),
            "commit" | "end" => self.end_transaction(StatementKind::Commit),
            "rollback" | "abort" => self.end_transaction(StatementKind::Rollback),
            "lock" => self.lock(),
            "set" => self.set(),
            "show" => self.show(),
            "reset" => self.reset(),
            "explain" => self.explain(),
            "declare" => self.declare(),
            "fetch" => self.fetch(),
            "close" => self.close(),
            _ => self.explainable(),
        }
    }

    /// Parses a query that is a statement, perhaps with INTO.
    pub(crate) fn query_statement(&mut self) -> Parsed<StatementKind> {
        self.is_query_statement = true;
        self.query(Position::Outermost)?;
        Ok(if self.facts.selects_into { StatementKind::SelectInto } else { StatementKind::Select })
    }

    /// Parses a statement that EXPLAIN could accept. `explain` rejects the plain CREATE commands.
    pub(crate) fn explainable(&mut self) -> Parsed<StatementKind> {
        let token = self.peek();
        match token.text.to_ascii_lowercase().as_str() {
            "select" | "(" => self.query_statement(),
            "with" => self.with_statement(),
            "insert" => self.insert(),
            "delete" => self.delete(),
            "update" => self.update(),
            "create" => self.create(),
            "values" => self.violation(&rules::VALUES_TABLE, "VALUES is not a statement"),
            "savepoint" | "release" => {
                self.violation(&rules::SAVEPOINT, "savepoints are not supported")
            }
            _ if token.kind == TokenKind::End => {
                self.violation(&rules::STATEMENT, "empty statement")
            }
            _ => self.violation(
                &rules::STATEMENT,
                format!("{} does not start an allowed statement", token.describe()),
            ),
        }
    }
}
