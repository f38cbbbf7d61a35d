//! ALTER TABLE: a new column as in CREATE TABLE, a new length with its check, and what only Redshift has.

use super::{Plan, apply, name_at, relay, table};
use crate::backend::{literal, quoted};
use crate::lexer::{Token, follows};
use crate::wire::Report;

const DONE: &str = "ALTER TABLE";

/// Plans an ALTER TABLE.
pub(crate) fn table(text: &str, tokens: &[Token<'_>]) -> Result<Plan, Report> {
    let (name, at) = name_at(tokens, 2);
    let action = |words: &str| follows(tokens, at, words);
    let no_effect = || Ok(Plan::Answer { tag: DONE, hidden: Vec::new() });
    if ["primary", "unique", "foreign", "constraint"]
        .iter()
        .any(|word| action(&format!("add {word}")))
        || action("drop constraint")
    {
        // Declared, not enforced (DG/t_Defining_constraints.html).
        return no_effect();
    }
    if action("append from") {
        return Ok(append(&name, &name_at(tokens, at + 2).0));
    }
    if ["diststyle", "distkey", "sortkey", "compound", "encode"]
        .iter()
        .any(|word| action(&format!("alter {word}")))
    {
        return Ok(restyle(&name, tokens, at + 1));
    }
    if action("add") {
        let start = at + 1 + usize::from(follows(tokens, at + 1, "column"));
        let mut edits = Vec::new();
        let column = table::column(tokens, start, tokens.len(), &mut edits)?;
        let note = table::value(&format!("{}::regclass", literal(&name)), &column);
        let after = vec![format!("insert into rs_column_notes values {note}")];
        return Ok(Plan::Relay { text: apply(text, edits), after });
    }
    if action("alter") {
        let column = at + 1 + usize::from(follows(tokens, at + 1, "column"));
        return retype(text, tokens, &name, column);
    }
    Ok(relay(text.to_owned()))
}

/// `ALTER [COLUMN] c TYPE varchar(n)`: the check follows the length. `ALTER COLUMN c ENCODE x` is noted.
fn retype(text: &str, tokens: &[Token<'_>], table: &str, column: usize) -> Result<Plan, Report> {
    let Some(name) = tokens.get(column).map(Token::name) else { return Ok(relay(text.to_owned())) };
    if follows(tokens, column + 1, "encode") {
        let encoding = tokens.get(column + 2).map(Token::name).unwrap_or_default();
        let note = format!(
            "update rs_column_notes set encoding = {} where relid = {}::regclass and name = {}",
            literal(&encoding),
            literal(table),
            literal(&name)
        );
        return Ok(Plan::Answer { tag: DONE, hidden: vec![note] });
    }
    match table::characters(tokens, column + 2, tokens.len())? {
        Some((class, length, _)) if follows(tokens, column + 1, "type") => {
            let (quoted_name, check) = (quoted(&name), table::byte_check(&name, class, length));
            let constraint = quoted(&format!("rs_bytes_{name}"));
            Ok(relay(format!(
                "alter table {table} drop constraint if exists {constraint}, alter column {quoted_name} type {class}({length}), add{check}"
            )))
        }
        _ => Ok(relay(text.to_owned())),
    }
}

/// `ALTER DISTSTYLE …`, `ALTER DISTKEY c`, `ALTER SORTKEY (…)`: only the table's style is noted.
fn restyle(table: &str, tokens: &[Token<'_>], at: usize) -> Plan {
    let key =
        (at..tokens.len()).find(|at| tokens[*at].is("distkey")).and_then(|at| tokens.get(at + 1));
    let style = match (key, tokens[at].is("diststyle")) {
        (Some(column), _) => format!("KEY({})", column.name()),
        (None, true) => {
            tokens.get(at + 1).map(|style| style.text.to_ascii_uppercase()).unwrap_or_default()
        }
        _ => return Plan::Answer { tag: DONE, hidden: Vec::new() },
    };
    let note = format!(
        "update rs_table_notes set diststyle = {} where relid = {}::regclass",
        literal(&style),
        literal(table)
    );
    Plan::Answer { tag: DONE, hidden: vec![note] }
}

/// Rows move from one table to the other (DG/r_ALTER_TABLE_APPEND.html); the session refuses it in a transaction.
fn append(target: &str, source: &str) -> Plan {
    let moved = format!(
        "with moved as (delete from {source} returning *) insert into {target} select * from moved"
    );
    Plan::Answer { tag: "ALTER TABLE APPEND", hidden: vec![moved] }
}
