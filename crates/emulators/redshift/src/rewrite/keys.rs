//! Declared keys: PRIMARY KEY, UNIQUE and FOREIGN KEY are stored and not enforced
//! (DG/t_Defining_constraints.html). `information_schema.table_constraints` lists them
//! (DG/r_ALTER_TABLE.html). A table has at most one primary key (DG/r_CREATE_TABLE_NEW.html).

use crate::backend::literal;
use crate::lexer::{Token, keywords_at};

/// A key that a table declares.
#[derive(Debug)]
pub(crate) struct Key {
    kind: &'static str,
    name: Option<String>,
}

impl Key {
    /// Returns a key of a column.
    pub(crate) fn of_column(kind: &'static str) -> Self {
        Self { kind, name: None }
    }

    /// Parses a table constraint in a range of tokens.
    pub(crate) fn parse(tokens: &[Token<'_>], start: usize, end: usize) -> Option<Self> {
        let is_named = tokens.get(start).is_some_and(|token| token.is("constraint"));
        let name = tokens.get(start + 1).filter(|_| is_named).map(Token::name);
        let has = |words: &str| (start..end).any(|at| keywords_at(tokens, at, words));
        let kinds =
            [("primary key", "PRIMARY KEY"), ("foreign key", "FOREIGN KEY"), ("unique", "UNIQUE")];
        let (_, kind) = kinds.into_iter().find(|(words, _)| has(words))?;
        Some(Self { kind, name })
    }

    /// Returns the statement that stores the key of a table; `if_new` ignores one that exists.
    pub(crate) fn statement(&self, table: &str, if_new: bool) -> String {
        let name = self.name.as_deref().map_or("null".to_owned(), literal);
        format!(
            "select rs_declare_key({}::regclass, '{}', {name}, {if_new})",
            literal(table),
            self.kind
        )
    }
}

/// Returns the statement that removes the constraint with this name.
pub(crate) fn drop_statement(table: &str, name: &str) -> String {
    format!(
        "delete from rs_keys where relid = {}::regclass and name = {}",
        literal(table),
        literal(name)
    )
}
