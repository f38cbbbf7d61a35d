//! The dictionary as one page: no script, no other file, no address outside; every table and column has an anchor (`#songplays`, `#songplays.user_id`).

use std::fmt::{self, Display, Formatter};

use super::svg::Diagram;
use super::words::{Html, Plain};
use super::{Check, Column, Dictionary, FROM, Kind, MARKER, Table};
use crate::report::grouped;

const STYLE: &str = include_str!("style.css");

/// The page.
pub(super) struct Page<'a>(pub &'a Dictionary);

impl Display for Page<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let dictionary = self.0;
        writeln!(
            f,
            "<!doctype html>\n{MARKER}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
        )?;
        writeln!(f, r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#)?;
        writeln!(f, "<title>Data dictionary</title>\n<style>\n{STYLE}</style>\n</head>\n<body>")?;
        writeln!(f, r##"<a class="skip" href="#content">Skip to the tables</a>"##)?;
        writeln!(f, "<header>\n<h1>Data dictionary</h1>\n<p>{}</p>", Html(&dictionary.standing()))?;
        contents(dictionary, f)?;
        writeln!(f, "</header>\n<main id=\"content\">")?;
        diagrams(dictionary, f)?;
        for kind in Kind::ALL {
            writeln!(f, "<h2>{}</h2>", kind.heading())?;
            dictionary.of(kind).try_for_each(|table| self::table(dictionary, table, f))?;
        }
        checks(dictionary, f)?;
        questions(dictionary, f)?;
        writeln!(f, "</main>\n</body>\n</html>")
    }
}

fn contents(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<nav aria-label=\"Contents\">\n<ul>")?;
    for table in &dictionary.tables {
        writeln!(f, r##"<li><a href="#{0}"><code>{0}</code></a></li>"##, Plain(table.name))?;
    }
    writeln!(f, r##"<li><a href="#the-checks">Checks</a>{}</li>"##, tally(dictionary))?;
    writeln!(f, "<li><a href=\"#the-questions\">Questions</a></li>\n</ul>\n</nav>")
}

/// How the checks ended, for the contents.
fn tally(dictionary: &Dictionary) -> String {
    let (failed, all) = (dictionary.failed(), dictionary.checks.len());
    match (&dictionary.warehouse, failed) {
        (None, _) => String::new(),
        (Some(_), 0) => format!(": <span class=\"ok\">all {all} passed</span>"),
        (Some(_), _) => format!(": <span class=\"failed\">{failed} of {all} failed</span>"),
    }
}

fn diagrams(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<h2>How they hang together</h2>\n<p>{}</p>", Html(FROM))?;
    let references = dictionary.references();
    for (title, tables) in dictionary.groups() {
        let diagram = Diagram { title, tables: &tables, references: &references };
        writeln!(
            f,
            "<figure>\n<figcaption>{}</figcaption>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Diagram: {0}\">\n{diagram}</div>\n</figure>",
            Plain(title)
        )?;
    }
    writeln!(
        f,
        "<p class=\"soft\">Bold columns are keys. A line leads from a column to the key that it holds; it is dashed where the column may be null.</p>"
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
    for head in ["column", "type", "null", "key", "what it holds", "from"] {
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
    let key: Vec<String> = column.key.then(|| "key".to_owned()).into_iter().chain(refers).collect();
    write!(f, "<tr id=\"{of}.{name}\"><th scope=\"row\"><code>{name}</code></th>")?;
    write!(f, "<td data-label=\"type\"><code>{}</code></td>", Plain(&column.data_type))?;
    write!(f, "<td data-label=\"null\">{}</td>", column.nulls())?;
    cell("key", &key.join(", "), f)?;
    write!(f, "<td>{}</td>", Html(&column.description))?;
    cell("from", &from(dictionary, column), f)?;
    writeln!(f, "</tr>")
}

/// A cell that tells its label where there is no room for the head; one that is empty has none.
fn cell(label: &str, content: &str, f: &mut Formatter<'_>) -> fmt::Result {
    match content {
        "" => write!(f, "<td></td>"),
        content => write!(f, "<td data-label=\"{label}\">{content}</td>"),
    }
}

/// The columns that it is made from, then the keys of records that this leads to.
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

fn checks(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<h2 id=\"the-checks\">Checks</h2>\n<table class=\"stacks\">\n<thead><tr>")?;
    writeln!(
        f,
        "<th scope=\"col\">check</th><th scope=\"col\">what it claims</th><th scope=\"col\">result</th></tr></thead>\n<tbody>"
    )?;
    for check in &dictionary.checks {
        let (name, claim, result) = (Plain(check.name), Html(check.claim), result(check));
        writeln!(
            f,
            "<tr id=\"check.{name}\"><th scope=\"row\"><code>{name}</code></th><td>{claim}</td><td data-label=\"result\">{result}</td></tr>"
        )?;
    }
    writeln!(f, "</tbody>\n</table>")
}

fn result(check: &Check) -> String {
    match check.offending {
        None => "<span class=\"soft\">not run</span>".into(),
        Some(0) => "<span class=\"ok\">ok</span>".into(),
        Some(rows) => {
            format!("<span class=\"failed\">FAILED</span>: {} rows against it", grouped(rows))
        }
    }
}

fn questions(dictionary: &Dictionary, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<h2 id=\"the-questions\">Questions</h2>")?;
    writeln!(f, "<p><code>sparkify query NAME</code> answers one of them.</p>")?;
    writeln!(
        f,
        "<table class=\"stacks\">\n<thead><tr><th scope=\"col\">name</th><th scope=\"col\">what it asks</th><th scope=\"col\">it takes</th></tr></thead>\n<tbody>"
    )?;
    for question in &dictionary.questions {
        let (name, asks) = (Plain(question.name), Html(question.asks));
        let code = |taken: &String| format!("<code>{}</code>", Plain(taken));
        let takes = question.takes.iter().map(code).collect::<Vec<_>>().join(" ");
        write!(
            f,
            "<tr id=\"question.{name}\"><th scope=\"row\"><code>{name}</code></th><td>{asks}</td>"
        )?;
        cell("takes", &takes, f)?;
        writeln!(f, "</tr>")?;
    }
    writeln!(f, "</tbody>\n</table>")
}
