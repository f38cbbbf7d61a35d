//! Dictionary as a self-contained HTML page. Every table and column has an anchor: `#songplays`,
//! `#songplays.user_id`. One script adds the search and follows the lineage; the page is complete
//! without it.

use std::fmt::{self, Display, Formatter};

use super::lineage::Lineage;
use super::svg::Diagram;
use super::words::{Html, Plain};
use super::{Column, DataTest, Dictionary, FROM, Kind, MARKER, Table};
use crate::content_hash;
use crate::report::grouped;

const SCRIPT: &str = include_str!("script.js");
const STYLE: &str = include_str!("style.css");

pub(super) struct Page<'a>(pub &'a Dictionary);

impl Display for Page<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let dictionary = self.0;
        writeln!(
            f,
            "<!doctype html>\n{MARKER}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
        )?;
        writeln!(
            f,
            r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'">"#,
            content_hash(SCRIPT),
            content_hash(&style())
        )?;
        writeln!(f, r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#)?;
        writeln!(f, "<title>Data dictionary</title>\n<style>{}</style>\n</head>\n<body>", style())?;
        writeln!(f, r##"<a class="skip" href="#content">Skip to the tables</a>"##)?;
        writeln!(f, "<header>\n<h1>Data dictionary</h1>\n<p>{}</p>", Html(&dictionary.status()))?;
        contents(dictionary, f)?;
        writeln!(f, "</header>\n<main id=\"content\">")?;
        writeln!(f, "{SEARCH}")?;
        diagrams(dictionary, f)?;
        for kind in Kind::ALL {
            part(f, |f| {
                writeln!(f, "<h2>{}</h2>", kind.heading())?;
                dictionary.of(kind).try_for_each(|table| self::table(dictionary, table, f))
            })?;
        }
        part(f, |f| tests(dictionary, f))?;
        part(f, |f| queries(dictionary, f))?;
        writeln!(f, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>")
    }
}

/// Search field, which the script shows.
const SEARCH: &str = r#"<form id="search-form" role="search" hidden>
<label for="search">Search tables, columns, tests and queries</label>
<input type="search" id="search" autocomplete="off" aria-describedby="found" placeholder="Press / to search">
<p id="found" class="soft" role="status"></p>
</form>"#;

fn style() -> String {
    format!("\n{STYLE}")
}

/// Writes a part that the search hides as a whole if nothing in it matches.
fn part(
    f: &mut Formatter<'_>,
    write: impl FnOnce(&mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    writeln!(f, "<div class=\"part\">")?;
    write(f)?;
    writeln!(f, "</div>")
}

fn contents(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<nav aria-label=\"Contents\">\n<ul>")?;
    writeln!(
        f,
        "<li><a href=\"#diagram\">Diagram</a></li>\n<li><a href=\"#lineage\">Lineage</a></li>"
    )?;
    for table in &dictionary.tables {
        writeln!(f, r##"<li><a href="#{0}"><code>{0}</code></a></li>"##, Plain(table.name))?;
    }
    writeln!(f, r##"<li><a href="#data-tests">Data tests</a>{}</li>"##, tally(dictionary))?;
    writeln!(f, "<li><a href=\"#saved-queries\">Saved queries</a></li>\n</ul>\n</nav>")
}

/// Summarizes the test results for the contents.
fn tally(dictionary: &Dictionary) -> String {
    let (failed, all) = (dictionary.failed(), dictionary.tests.len());
    match (&dictionary.warehouse, failed) {
        (None, _) => String::new(),
        (Some(_), 0) => format!(": <span class=\"ok\">all {all} passed</span>"),
        (Some(_), _) => format!(": <span class=\"failed\">{failed} of {all} failed</span>"),
    }
}

fn diagrams(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<h2 id=\"diagram\">Entity-relationship diagram</h2>")?;
    writeln!(
        f,
        "<p class=\"soft\">PK: part of the primary key. FK: foreign key; its line leads to the referenced key and is dashed if the column may be null.</p>"
    )?;
    let references = dictionary.references();
    for (title, tables) in dictionary.groups() {
        figure(title, &Diagram { title, tables: &tables, references: &references }, f)?;
    }
    writeln!(f, "<h2 id=\"lineage\">Lineage</h2>\n<p>{}</p>", Html(FROM))?;
    writeln!(
        f,
        "<p class=\"soft\">A line leads from a source column to the column that is computed from it. In staging, the key of the record is at the right if it has another name. Point at a column to follow its lines.</p>"
    )?;
    figure("From staging to the model", &Lineage(dictionary), f)
}

fn figure(title: &str, diagram: &dyn Display, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "<figure>\n<figcaption>{}</figcaption>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Diagram: {0}\">\n{diagram}</div>\n</figure>",
        Plain(title)
    )
}

fn table(dictionary: &Dictionary, table: &Table, f: &mut Formatter<'_>) -> fmt::Result {
    let name = Plain(table.name);
    writeln!(f, "<section aria-labelledby=\"{name}\">\n<h3 id=\"{name}\">{name}</h3>")?;
    writeln!(f, "<p>{}</p>\n<dl>", Html(table.description))?;
    for note in &table.notes {
        writeln!(f, "<dt>{}</dt><dd>{}</dd>", Plain(note.label), Html(note.words))?;
    }
    if !table.key.is_empty() {
        let key = format!("`{}`", table.key.join("`, `"));
        writeln!(f, "<dt>key</dt><dd>{}</dd>", Html(&key))?;
    }
    if let Some(rows) = table.rows {
        writeln!(f, "<dt>rows</dt><dd>{}</dd>", grouped(rows))?;
    }
    writeln!(f, "</dl>\n<table class=\"stacks\">\n<thead><tr>")?;
    for head in ["column", "type", "null", "key", "description", "from"] {
        write!(f, "<th scope=\"col\">{head}</th>")?;
    }
    writeln!(f, "</tr></thead>\n<tbody>")?;
    table.columns.iter().try_for_each(|column| self::column(dictionary, table, column, f))?;
    writeln!(f, "</tbody>\n</table>\n</section>")
}

fn column(
    dictionary: &Dictionary,
    table: &Table,
    column: &Column,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let (of, name) = (Plain(table.name), Plain(&column.name));
    let refers =
        column.references.map(|to| format!(r##"<a href="#{0}"><code>{0}</code></a>"##, Plain(to)));
    let key = column.key.then(|| "primary".to_owned());
    let key: Vec<String> = key.into_iter().chain(refers.map(|to| format!("in {to}"))).collect();
    write!(f, "<tr id=\"{of}.{name}\"><th scope=\"row\"><code>{name}</code></th>")?;
    write!(f, "<td data-label=\"type\"><code>{}</code></td>", Plain(&column.data_type))?;
    write!(f, "<td data-label=\"null\">{}</td>", column.nulls())?;
    cell("key", &key.join(", "), f)?;
    write!(f, "<td>{}</td>", Html(&column.description))?;
    cell("from", &from(dictionary, column), f)?;
    writeln!(f, "</tr>")
}

/// Writes a cell. The label replaces the table head on narrow screens; empty cells have none.
fn cell(label: &str, content: &str, f: &mut Formatter<'_>) -> fmt::Result {
    match content {
        "" => write!(f, "<td></td>"),
        content => write!(f, "<td data-label=\"{label}\">{content}</td>"),
    }
}

/// Formats the source columns, then the record keys.
fn from(dictionary: &Dictionary, column: &Column) -> String {
    let link = |name: &str| format!("<a href=\"#{0}\"><code>{0}</code></a>", Plain(name));
    let columns = dictionary.sources(column, link, |word| Html(word).to_string());
    let code = |key: &String| format!("<code>{}</code>", Plain(key));
    let keys = column.record_keys.iter().map(code).collect::<Vec<_>>().join(", ");
    match (column.from.is_some(), keys.is_empty()) {
        (true, false) => format!("{columns} <span class=\"soft\">← {keys}</span>"),
        (true, true) => columns,
        (false, _) => keys,
    }
}

fn tests(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<h2 id=\"data-tests\">Data tests</h2>\n<table class=\"stacks\">\n<thead><tr>")?;
    writeln!(
        f,
        "<th scope=\"col\">test</th><th scope=\"col\">condition</th><th scope=\"col\">result</th></tr></thead>\n<tbody>"
    )?;
    for test in &dictionary.tests {
        let (name, condition, result) = (Plain(test.name), Html(test.condition), result(test));
        writeln!(
            f,
            "<tr id=\"check.{name}\"><th scope=\"row\"><code>{name}</code></th><td>{condition}</td><td data-label=\"result\">{result}</td></tr>"
        )?;
    }
    writeln!(f, "</tbody>\n</table>")
}

fn result(test: &DataTest) -> String {
    match test.failing_rows {
        None => "<span class=\"soft\">not run</span>".into(),
        Some(0) => "<span class=\"ok\">ok</span>".into(),
        Some(rows) => {
            format!("<span class=\"failed\">FAILED</span>: {} failing rows", grouped(rows))
        }
    }
}

fn queries(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<h2 id=\"saved-queries\">Saved queries</h2>")?;
    writeln!(f, "<p><code>sparkify query NAME</code> runs a saved query.</p>")?;
    writeln!(
        f,
        "<table class=\"stacks\">\n<thead><tr><th scope=\"col\">name</th><th scope=\"col\">description</th><th scope=\"col\">options</th></tr></thead>\n<tbody>"
    )?;
    for query in &dictionary.queries {
        let (name, description) = (Plain(query.name), Html(query.description));
        let code = |option: &String| format!("<code>{}</code>", Plain(option));
        let options = query.options.iter().map(code).collect::<Vec<_>>().join(" ");
        write!(
            f,
            "<tr id=\"question.{name}\"><th scope=\"row\"><code>{name}</code></th><td>{description}</td>"
        )?;
        cell("options", &options, f)?;
        writeln!(f, "</tr>")?;
    }
    writeln!(f, "</tbody>\n</table>")
}
