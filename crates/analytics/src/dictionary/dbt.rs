//! Dictionary as sources of dbt: a `sources.yml` with descriptions and data tests.

use std::fmt::{self, Display, Formatter};

use super::{Column, Dictionary, Kind, MARKER_TEXT, Table};

pub(super) struct Sources<'a> {
    pub dictionary: &'a Dictionary,
    pub database: Option<&'a str>,
    pub schema: &'a str,
}

impl Display for Sources<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {MARKER_TEXT}\nversion: 2\n\nsources:\n  - name: sparkify")?;
        if let Some(database) = self.database {
            writeln!(f, "    database: {}", quoted(database))?;
        }
        writeln!(f, "    schema: {}\n    tables:", quoted(self.schema))?;
        self.dictionary.tables.iter().try_for_each(|table| self.table(table, f))
    }
}

impl Sources<'_> {
    fn table(&self, table: &Table, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "      - name: {}", table.name)?;
        writeln!(f, "        description: {}", quoted(table.description))?;
        writeln!(f, "        columns:")?;
        table.columns.iter().try_for_each(|column| self.column(table, column, f))
    }

    fn column(&self, table: &Table, column: &Column, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "          - name: {}", column.name)?;
        writeln!(f, "            description: {}", quoted(&column.description))?;
        writeln!(f, "            data_type: {}", quoted(&column.data_type))?;
        let conditions = || self.dictionary.tests.iter().map(|test| test.condition);
        let is_unique =
            conditions().any(|condition| unique(condition) == Some((&column.name, table.name)));
        // The data test `keys_present` covers the required columns of the model.
        let is_required = table.kind == Kind::Model && !column.nullable;
        let of_column =
            |(of, from, _): &(&str, &str, &str)| *of == column.name && *from == table.name;
        let related: Vec<_> = conditions().filter_map(relationship).filter(of_column).collect();
        if !is_unique && !is_required && related.is_empty() {
            return Ok(());
        }
        writeln!(f, "            data_tests:")?;
        if is_unique {
            writeln!(f, "              - unique")?;
        }
        if is_required {
            writeln!(f, "              - not_null")?;
        }
        for (name, _, target) in related {
            writeln!(f, "              - relationships:\n                  arguments:")?;
            writeln!(f, "                    to: source('sparkify', '{target}')")?;
            writeln!(f, "                    field: {name}")?;
        }
        Ok(())
    }
}

/// Parses "`COLUMN` is unique in `TABLE`".
fn unique(condition: &str) -> Option<(&str, &str)> {
    let (column, table) = condition.split_once(" is unique in ")?;
    Some((name(column)?, name(table)?))
}

/// Parses "each `COLUMN` of `TABLE` is in `TARGET`", in which both columns have the same name.
fn relationship(condition: &str) -> Option<(&str, &str, &str)> {
    let (column, rest) = condition.strip_prefix("each ")?.split_once(" of ")?;
    let (table, target) = rest.split_once(" is in ")?;
    Some((name(column)?, name(table)?, name(target)?))
}

/// Returns a word without its backticks.
fn name(word: &str) -> Option<&str> {
    word.strip_prefix('`')?.strip_suffix('`').filter(|name| !name.contains('`'))
}

/// Formats a YAML string in double quotes, which has the escapes of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_other_forms_are_no_tests_of_a_column() {
        assert_eq!(unique("`user_id` is unique in `users`"), Some(("user_id", "users")));
        assert_eq!(
            relationship("each `song_id` of `songplays` is in `songs`"),
            Some(("song_id", "songplays", "songs"))
        );
        let other = "each row of staging and `etl_rejects` belongs to an object in `etl_objects`";
        assert_eq!((unique(other), relationship(other)), (None, None));
        assert_eq!(unique("`a` and `b` is unique in `users`"), None);
        assert_eq!(quoted("a \"b\": {c}\n"), r#""a \"b\": {c}\n""#);
    }
}
