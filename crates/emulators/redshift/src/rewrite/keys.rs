//! Declared keys: PRIMARY KEY, UNIQUE and FOREIGN KEY are stored and not enforced
//! (DG/t_Defining_constraints.html). `information_schema.table_constraints` lists them
//! (DG/r_ALTER_TABLE.html). A table has at most one primary key (DG/r_CREATE_TABLE_NEW.html).

use super::name_at;
use crate::backend::literal;
use crate::lexer::{Token, keywords_at, matching_paren};

/// A key that a table declares.
#[derive(Debug)]
pub(crate) struct Key {
    kind: &'static str,
    name: Option<String>,
    columns: Vec<String>,
    /// Table that a foreign key references, as written, and its columns.
    target: Option<(String, Vec<String>)>,
}

impl Key {
    /// Returns a key of a column.
    pub(crate) fn of_column(kind: &'static str, column: &str) -> Self {
        Self { kind, name: None, columns: vec![column.to_owned()], target: None }
    }

    /// Returns the foreign key of a column, whose REFERENCES is at index `at`.
    pub(crate) fn reference(column: &str, tokens: &[Token<'_>], at: usize) -> Self {
        Self { target: Some(target(tokens, at)), ..Self::of_column("FOREIGN KEY", column) }
    }

    /// Parses a table constraint in a range of tokens.
    pub(crate) fn parse(tokens: &[Token<'_>], start: usize, end: usize) -> Option<Self> {
        let is_named = tokens.get(start).is_some_and(|token| token.is("constraint"));
        let name = tokens.get(start + 1).filter(|_| is_named).map(Token::name);
        let has = |words: &str| (start..end).any(|at| keywords_at(tokens, at, words));
        let kinds =
            [("primary key", "PRIMARY KEY"), ("foreign key", "FOREIGN KEY"), ("unique", "UNIQUE")];
        let (_, kind) = kinds.into_iter().find(|(words, _)| has(words))?;
        let position = |word: &str| (start..end).find(|at| keywords_at(tokens, *at, word));
        let columns = position("(").map(|open| names(tokens, open)).unwrap_or_default();
        let target = position("references").map(|at| target(tokens, at));
        Some(Self { kind, name, columns, target })
    }

    /// Returns the statement that stores the key of a table; `if_new` ignores one that exists.
    pub(crate) fn statement(&self, table: &str, if_new: bool) -> String {
        let optional = |text: Option<&str>| text.map_or("null".to_owned(), literal);
        let array = |names: &[String]| {
            let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
            format!("array[{}]::text[]", names.join(", "))
        };
        let target = self.target.as_ref().map(|(table, _)| table.as_str());
        format!(
            "select rs_declare_key({}::regclass, '{}', {}, {}, {}, {}, {if_new})",
            literal(table),
            self.kind,
            optional(self.name.as_deref()),
            array(&self.columns),
            optional(target),
            self.target.as_ref().map_or("null".to_owned(), |(_, columns)| array(columns))
        )
    }
}

/// Returns the names in the parentheses at index `open`.
fn names(tokens: &[Token<'_>], open: usize) -> Vec<String> {
    let close = matching_paren(tokens, open).unwrap_or(open);
    tokens[open..close].iter().filter(|token| token.is_name()).map(Token::name).collect()
}

/// Returns table and columns of the REFERENCES at index `at`.
fn target(tokens: &[Token<'_>], at: usize) -> (String, Vec<String>) {
    let (table, after) = name_at(tokens, at + 1);
    let has_columns = keywords_at(tokens, after, "(");
    (table, if has_columns { names(tokens, after) } else { Vec::new() })
}

/// Returns the statement that removes the constraint with this name.
pub(crate) fn drop_statement(table: &str, name: &str) -> String {
    format!(
        "delete from rs_keys where relid = {}::regclass and name = {}",
        literal(table),
        literal(name)
    )
}
