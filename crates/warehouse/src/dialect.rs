//! Dialects of the engines within a file: logical column types, compression and inlined UDFs, as
//! `sql/dialect/ENGINE/types.toml` declares them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Types and functions of an engine: `sql/dialect/ENGINE/types.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialect {
    /// Logical type -> type of the engine. A type that is not listed is sent as it is written.
    types: BTreeMap<String, String>,
    /// Logical type -> compression of the column, in the tables of [`COMPRESSED`].
    #[serde(default)]
    encodings: BTreeMap<String, String>,
    /// UDF of one argument -> expression that is sent instead of a call.
    #[serde(default)]
    inline: BTreeMap<String, String>,
}

/// Folders whose tables grow with the input: their columns are compressed where an engine wants to
/// be told how.
const COMPRESSED: [&str; 2] = ["stage", "model"];

macro_rules! types {
    ($engine:literal) => {
        (
            $engine,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../sql/dialect/",
                $engine,
                "/types.toml"
            )),
        )
    };
}

const TYPES: [(&str, &str); 3] = [types!("duckdb"), types!("postgres"), types!("redshift")];

static DIALECTS: LazyLock<BTreeMap<&str, Dialect>> = LazyLock::new(|| {
    // A test reads the same texts, so that a malformed one is never released.
    TYPES
        .into_iter()
        .map(|(engine, text)| (engine, toml::from_str(text).unwrap_or_default()))
        .collect()
});

/// Translates an expanded file of this folder for an engine; without an engine, types stay logical.
pub(crate) fn translate(text: String, folder: &str, engine: &str) -> String {
    let Some(dialect) = DIALECTS.get(engine) else { return text };
    let text = translate_types(&text, dialect, COMPRESSED.contains(&folder));
    // The files of an engine define its UDFs.
    if folder.starts_with("dialect/") { text } else { inline_calls(text, dialect) }
}

/// Replaces calls of UDFs, whose argument is a column, by their expressions.
fn inline_calls(text: String, dialect: &Dialect) -> String {
    dialect.inline.iter().fold(text, |text, (function, expression)| {
        let call = format!("{function}(");
        let mut parts = text.split(&call);
        let mut inlined = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (argument, after) = part.split_once(')').unwrap_or((part, ""));
            inlined.push_str(&expression.replace(":value", argument));
            inlined.push_str(after);
        }
        inlined
    })
}

/// Replaces the logical types in the column lines of each `create table (` by those of an engine.
fn translate_types(text: &str, dialect: &Dialect, is_compressed: bool) -> String {
    let mut translated = String::with_capacity(text.len());
    let mut in_columns = false;
    for line in text.split_inclusive('\n') {
        let code = line.trim();
        let begins = code.starts_with("create table ") || code.starts_with("create temp table ");
        if in_columns && !code.starts_with("--") && !code.starts_with(')') {
            translated.push_str(&column_line(line, dialect, is_compressed));
            continue;
        }
        in_columns = (in_columns && !code.starts_with(')')) || (begins && code.ends_with('('));
        translated.push_str(line);
    }
    translated
}

/// Translates the type in `    name type …`, and says how the column is compressed unless the line
/// does.
fn column_line(line: &str, dialect: &Dialect, is_compressed: bool) -> String {
    let name_at = line.len() - line.trim_start().len();
    let Some(type_at) = line[name_at..].find(' ').map(|length| name_at + length + 1) else {
        return line.to_owned();
    };
    let rest = &line[type_at..];
    // `double precision` is two words, so names are compared instead of cut at a blank.
    let is_here = |name: &&String| {
        let behind = rest.strip_prefix(name.as_str());
        behind.is_some_and(|it| !it.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
    };
    let Some(logical) = dialect.types.keys().chain(dialect.encodings.keys()).find(is_here) else {
        return line.to_owned();
    };
    let own = dialect.types.get(logical).unwrap_or(logical);
    let code = line.split("--").next().unwrap_or_default();
    let encoding =
        dialect.encodings.get(logical).filter(|_| is_compressed && !code.contains(" encode "));
    let encoding = encoding.map(|encoding| format!(" encode {encoding}")).unwrap_or_default();
    format!("{}{own}{encoding}{}", &line[..type_at], &rest[logical.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_text;

    #[test]
    fn the_types_of_each_engine_are_read() {
        for (engine, text) in TYPES {
            let dialect: Dialect =
                toml::from_str(text).unwrap_or_else(|error| panic!("{engine}: {error}"));
            for logical in ["label", "code", "short_text", "text", "long_text"] {
                assert!(
                    is_text(logical) && dialect.types.contains_key(logical),
                    "{engine}: {logical}"
                );
            }
        }
    }
}
