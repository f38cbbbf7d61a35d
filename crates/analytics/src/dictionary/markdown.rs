//! The dictionary as Markdown, as GitHub and most others render it: what `index.html` tells, for a repository or a wiki.

use std::fmt::{self, Display, Formatter};

use super::words::{Code, Markdown};
use super::{Check, Column, Dictionary, FROM, Kind, MARKER, Table};
use crate::report::grouped;

/// The document.
pub(super) struct Document<'a>(pub &'a Dictionary);

impl Display for Document<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let dictionary = self.0;
        writeln!(f, "{MARKER}\n# Data dictionary\n\n{}\n", Markdown(&dictionary.standing()))?;
        contents(dictionary, f)?;
        diagram(dictionary, f)?;
        for kind in Kind::ALL {
            writeln!(f, "## {}\n", kind.heading())?;
            dictionary.of(kind).try_for_each(|table| self::table(dictionary, table, f))?;
        }
        checks(dictionary, f)?;
        questions(dictionary, f)
    }
}

fn contents(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "| table | rows | one row is |\n|---|---:|---|")?;
    for table in &dictionary.tables {
        let (name, rows) = (table.name, rows(table));
        writeln!(f, "| [`{name}`](#{name}) | {rows} | {} |", Markdown(table.description))?;
    }
    writeln!(f)
}

fn rows(table: &Table) -> String {
    table.rows.map(grouped).unwrap_or_default()
}

/// Mermaid's `erDiagram`: a type is one word there.
fn diagram(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "## How they hang together\n\n```mermaid\nerDiagram")?;
    for reference in dictionary.references() {
        let end = if reference.column.nullable { "o|" } else { "||" };
        let (from, to, column) = (reference.from.name, reference.to.name, &reference.column.name);
        writeln!(f, "    {from} }}o--{end} {to} : {column}")?;
    }
    for table in &dictionary.tables {
        writeln!(f, "    {} {{", table.name)?;
        for column in &table.columns {
            let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            let data_type: String = column.data_type.chars().map(word).collect();
            let keys = match (column.key, column.references) {
                (true, Some(_)) => " PK, FK",
                (true, None) => " PK",
                (false, Some(_)) => " FK",
                (false, None) => "",
            };
            writeln!(f, "        {data_type} {}{keys}", column.name)?;
        }
        writeln!(f, "    }}")?;
    }
    writeln!(f, "```\n\n{}\n", Markdown(FROM))
}

fn table(dictionary: &Dictionary, table: &Table, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "### {}\n\n{}\n", table.name, Markdown(table.description))?;
    for note in &table.notes {
        writeln!(f, "- **{}:** {}", note.label, Markdown(note.words))?;
    }
    if !table.key.is_empty() {
        let key: Vec<String> = table.key.iter().map(|name| Code(name).to_string()).collect();
        writeln!(f, "- **key:** {}", key.join(", "))?;
    }
    if table.rows.is_some() {
        writeln!(f, "- **rows:** {}", rows(table))?;
    }
    writeln!(f, "\n| column | type | null | key | what it holds | from |")?;
    writeln!(f, "|---|---|---|---|---|---|")?;
    table.columns.iter().try_for_each(|column| self::column(dictionary, table, column, f))?;
    writeln!(f)
}

fn column(
    dictionary: &Dictionary,
    table: &Table,
    column: &Column,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let mut keys: Vec<String> = column.key.then(|| "key".to_owned()).into_iter().collect();
    keys.extend(column.references.map(|to| format!("[`{to}`](#{to})")));
    writeln!(
        f,
        "| <a id=\"{}.{}\"></a>{} | {} | {} | {} | {} | {} |",
        table.name,
        column.name,
        Code(&column.name),
        Markdown(&column.data_type),
        column.nulls(),
        keys.join(", "),
        Markdown(&column.description),
        from(dictionary, column)
    )
}

/// The columns that it is made from, then the keys of records that this leads to.
fn from(dictionary: &Dictionary, column: &Column) -> String {
    let link = |name: &str| format!("[`{name}`](#{name})");
    let columns = dictionary.sources(column, link, |word| Markdown(word).to_string());
    let keys: Vec<String> = column.record_keys.iter().map(|it| Code(it).to_string()).collect();
    let keys = keys.join(", ");
    match (column.from.is_some(), keys.is_empty()) {
        (true, false) => format!("{columns} ← {keys}"),
        (true, true) => columns,
        (false, _) => keys,
    }
}

fn checks(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "## Checks\n\n| check | what it claims | result |\n|---|---|---|")?;
    for check in &dictionary.checks {
        let (name, result) = (Code(check.name), result(check));
        writeln!(f, "| {name} | {} | {result} |", Markdown(check.claim))?;
    }
    writeln!(f)
}

fn result(check: &Check) -> String {
    match check.offending {
        None => "not run".into(),
        Some(0) => "ok".into(),
        Some(rows) => format!("**FAILED**: {} rows against it", grouped(rows)),
    }
}

fn questions(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "## Questions\n\n`sparkify query NAME` answers one of them.\n")?;
    writeln!(f, "| name | what it asks | it takes |\n|---|---|---|")?;
    for question in &dictionary.questions {
        let takes: Vec<String> = question.takes.iter().map(|it| Code(it).to_string()).collect();
        let (name, asks) = (Code(question.name), Markdown(question.asks));
        writeln!(f, "| {name} | {asks} | {} |", takes.join(" "))?;
    }
    Ok(())
}
