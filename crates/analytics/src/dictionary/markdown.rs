//! Dictionary as GitHub flavored Markdown, for a repository or a wiki.

use std::fmt::{self, Display, Formatter};

use super::words::{Code, Markdown};
use super::{Column, DataTest, Dictionary, FROM, Kind, MARKER, Table};
use crate::report::grouped;

pub(super) struct Document<'a>(pub &'a Dictionary);

impl Display for Document<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let dictionary = self.0;
        writeln!(f, "{MARKER}\n# Data dictionary\n\n{}\n", Markdown(&dictionary.status()))?;
        contents(dictionary, f)?;
        diagram(dictionary, f)?;
        for kind in Kind::ALL {
            writeln!(f, "## {}\n", kind.heading())?;
            dictionary.of(kind).try_for_each(|table| self::table(dictionary, table, f))?;
        }
        tests(dictionary, f)?;
        queries(dictionary, f)
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

/// Writes a Mermaid `erDiagram`, whose types must be single words.
fn diagram(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "## Entity-relationship diagram\n\n```mermaid\nerDiagram")?;
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
    writeln!(f, "\n| column | type | null | key | description | from |")?;
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

/// Formats the source columns, then the record keys.
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

fn tests(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "## Data tests\n\n| test | condition | result |\n|---|---|---|")?;
    for test in &dictionary.tests {
        let (name, result) = (Code(test.name), result(test));
        writeln!(f, "| {name} | {} | {result} |", Markdown(test.condition))?;
    }
    writeln!(f)
}

fn result(test: &DataTest) -> String {
    match test.failing_rows {
        None => "not run".into(),
        Some(0) => "ok".into(),
        Some(rows) => format!("**FAILED**: {} failing rows", grouped(rows)),
    }
}

fn queries(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "## Saved queries\n\n`sparkify query NAME` runs a saved query.\n")?;
    writeln!(f, "| name | description | options |\n|---|---|---|")?;
    for query in &dictionary.queries {
        let options: Vec<String> = query.options.iter().map(|it| Code(it).to_string()).collect();
        let (name, description) = (Code(query.name), Markdown(query.description));
        writeln!(f, "| {name} | {description} | {} |", options.join(" "))?;
    }
    Ok(())
}
