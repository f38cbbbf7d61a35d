//! ALTER TABLE: added columns, new lengths with their check, and Redshift's own attributes.

use super::keys::{self, Key};
use super::{Plan, apply, forward, name_at, table};
use crate::backend::{literal, quoted};
use crate::lexer::{Token, keywords_at};
use crate::wire::Report;

const DONE: &str = "ALTER TABLE";

/// Plans an ALTER TABLE.
pub(crate) fn table(text: &str, tokens: &[Token<'_>]) -> Result<Plan, Report> {
    let (name, at) = name_at(tokens, 2);
    let action = |words: &str| keywords_at(tokens, at, words);
    let kinds = ["primary", "unique", "foreign", "constraint"];
    if kinds.iter().any(|word| action(&format!("add {word}"))) {
        let key = Key::parse(tokens, at + 1, tokens.len());
        let statements = key.iter().map(|key| key.statement(&name, false)).collect();
        return Ok(Plan::Local { tag: DONE, statements });
    }
    if action("drop constraint") {
        let constraint = tokens.get(at + 2).map(Token::name).unwrap_or_default();
        let statements = vec![keys::drop_statement(&name, &constraint)];
        return Ok(Plan::Local { tag: DONE, statements });
    }
    if action("append from") {
        return Ok(append(&name, &name_at(tokens, at + 2).0));
    }
    if ["diststyle", "distkey", "sortkey", "compound", "encode"]
        .iter()
        .any(|word| action(&format!("alter {word}")))
    {
        return Ok(alter_distribution(&name, tokens, at + 1));
    }
    if action("add") {
        let start = at + 1 + usize::from(keywords_at(tokens, at + 1, "column"));
        let mut edits = Vec::new();
        let column = table::column(tokens, start, tokens.len(), &mut edits)?;
        let row = table::attribute_row(&format!("{}::regclass", literal(&name)), &column);
        let follow_up = vec![format!("insert into rs_column_attributes values {row}")];
        return Ok(Plan::Forward { text: apply(text, edits), follow_up });
    }
    if action("drop") {
        let column = at + 1 + usize::from(keywords_at(tokens, at + 1, "column"));
        let column = tokens.get(column).map(Token::name).unwrap_or_default();
        let follow_up = vec![format!(
            "delete from rs_column_attributes where relid = {}::regclass and name = {}",
            literal(&name),
            literal(&column)
        )];
        return Ok(Plan::Forward { text: text.to_owned(), follow_up });
    }
    if action("alter") {
        let column = at + 1 + usize::from(keywords_at(tokens, at + 1, "column"));
        return alter_column(text, tokens, &name, column);
    }
    Ok(forward(text.to_owned()))
}

/// Plans `ALTER [COLUMN] c TYPE varchar(n)`, which replaces the byte check, and
/// `ALTER COLUMN c ENCODE x`, which stores the encoding.
fn alter_column(
    text: &str,
    tokens: &[Token<'_>],
    table: &str,
    column: usize,
) -> Result<Plan, Report> {
    let Some(name) = tokens.get(column).map(Token::name) else {
        return Ok(forward(text.to_owned()));
    };
    if keywords_at(tokens, column + 1, "encode") {
        let encoding = tokens.get(column + 2).map(Token::name).unwrap_or_default();
        let update = format!(
            "update rs_column_attributes set encoding = {} where relid = {}::regclass and name = {}",
            literal(&encoding),
            literal(table),
            literal(&name)
        );
        return Ok(Plan::Local { tag: DONE, statements: vec![update] });
    }
    match table::character_type(tokens, column + 2, tokens.len())? {
        Some((class, length, _)) if keywords_at(tokens, column + 1, "type") => {
            let (quoted_name, check) = (quoted(&name), table::byte_check(&name, class, length));
            let constraint = quoted(&format!("rs_bytes_{name}"));
            Ok(forward(format!(
                "alter table {table} drop constraint if exists {constraint}, alter column {quoted_name} type {class}({length}), add{check}"
            )))
        }
        _ => Ok(forward(text.to_owned())),
    }
}

/// Plans `ALTER DISTSTYLE …`, `ALTER DISTKEY c` and `ALTER SORTKEY (…)`.
///
/// Only the distribution style is stored.
fn alter_distribution(table: &str, tokens: &[Token<'_>], at: usize) -> Plan {
    let key =
        (at..tokens.len()).find(|at| tokens[*at].is("distkey")).and_then(|at| tokens.get(at + 1));
    let style = match (key, tokens[at].is("diststyle")) {
        (Some(column), _) => format!("KEY({})", column.name()),
        (None, true) => {
            tokens.get(at + 1).map(|style| style.text.to_ascii_uppercase()).unwrap_or_default()
        }
        _ => return Plan::Local { tag: DONE, statements: Vec::new() },
    };
    let update = format!(
        "update rs_table_attributes set diststyle = {} where relid = {}::regclass",
        literal(&style),
        literal(table)
    );
    Plan::Local { tag: DONE, statements: vec![update] }
}

/// Plans ALTER TABLE APPEND, which moves rows between tables (DG/r_ALTER_TABLE_APPEND.html).
///
/// The session rejects it in a transaction block.
fn append(target: &str, source: &str) -> Plan {
    let statement = format!(
        "with moved as (delete from {source} returning *) insert into {target} select * from moved"
    );
    Plan::Local { tag: "ALTER TABLE APPEND", statements: vec![statement] }
}
