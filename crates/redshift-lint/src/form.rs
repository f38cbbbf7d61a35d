//! The forms of statements that are let through, and the word that begins each.

use crate::lexer::Kind;
use crate::parser::{Parsed, Parser};
use crate::rules::{self, Rule, RuleKind, dg};
use crate::scope::Position;

macro_rules! forms {
    ($($form:ident $written:literal $page:literal;)*) => {
        /// What kind of statement it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Form {
            $(#[doc = concat!("`", $written, "`")] $form,)*
        }

        /// Each form with what it is called and its page.
        const FORMS: &[(Form, &str, &str)] = &[$((Form::$form, $written, dg!($page))),*];
    };
}

forms! {
    Select "select" "r_SELECT_synopsis";
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

impl Form {
    /// Whether the statement commits the transaction that it stands in.
    pub fn commits(self) -> bool {
        self == Self::Truncate
    }

    /// Whether the statement answers with rows.
    pub fn answers(self) -> bool {
        matches!(self, Self::Select | Self::Fetch | Self::Show | Self::Explain)
    }
}

/// The forms as entries of the list.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    FORMS.iter().map(|(_, id, page)| Rule {
        id,
        kind: RuleKind::Statement,
        says: "",
        page,
        hint: "",
    })
}

impl Parser<'_> {
    /// One statement, up to where its end should be.
    pub(crate) fn statement(&mut self) -> Parsed<Form> {
        let token = self.peek();
        match token.text.to_ascii_lowercase().as_str() {
            _ if token.kind == Kind::Parameter => self.unexpected("a statement"),
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
            "commit" | "end" => self.finish(Form::Commit),
            "rollback" | "abort" => self.finish(Form::Rollback),
            "lock" => self.lock(),
            "set" => self.set(),
            "show" => self.show(),
            "reset" => self.reset(),
            "explain" => self.explain(),
            "declare" => self.declare(),
            "fetch" => self.fetch(),
            "close" => self.close(),
            _ => self.explained(),
        }
    }

    /// A statement that has a plan.
    pub(crate) fn explained(&mut self) -> Parsed<Form> {
        let token = self.peek();
        match token.text.to_ascii_lowercase().as_str() {
            "select" | "(" => self.query(Position::Outermost).map(|()| Form::Select),
            "with" => self.with_statement(),
            "insert" => self.insert(),
            "delete" => self.delete(),
            "update" => self.update(),
            "create" => self.create(),
            "values" => self.refuse(&rules::VALUES_TABLE, "VALUES stands as a statement"),
            "savepoint" | "release" => self.refuse(&rules::SAVEPOINT, "a savepoint stands here"),
            _ if token.kind == Kind::End => self.refuse(&rules::STATEMENT, "there is no statement"),
            _ => self.refuse(
                &rules::STATEMENT,
                format!("{} begins no statement of the list", token.shown()),
            ),
        }
    }
}
