//! Loads: how a session and the COPY engine meet, and what the load views show.
//!
//! Rows of SYS_LOAD_HISTORY and SYS_LOAD_ERROR_DETAIL outlive a transaction that is rolled back and are seen inside one that began before
//! (system tables are not transactional, DG/c_serial_isolation.html), so no table holds them: they are kept here, handed to a session as JSON in
//! a setting before it asks, and the views of `catalog/manners.sql` read that.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::backend::{Rows, quoted};
use crate::copy::history::{History, Run};
use crate::copy::s3::Store;
use crate::copy::{self, Column, Copy, Failure, Kind, Loaded};
use crate::wire::Report;

/// The table that a COPY names, as the catalog knows it.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) oid: i32,
    /// The columns that can be loaded: an IDENTITY column is none (DG/r_CREATE_TABLE_NEW.html).
    pub(crate) columns: Vec<Column>,
}

/// Reads a statement.
pub(crate) fn parse(statement: &str) -> Result<Copy, Report> {
    copy::parse(statement).map_err(|error| Report::error(error.sqlstate, error.message))
}

/// How the statement's table is called, quoted.
pub(crate) fn target(copy: &Copy) -> String {
    let names = copy.schema.iter().chain([&copy.table]);
    names.map(|name| quoted(name)).collect::<Vec<_>>().join(".")
}

/// What the catalog is asked about a table.
pub(crate) fn question(copy: &Copy) -> String {
    format!(
        "select a.attrelid::bigint, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, a.attidentity = 'a' \
         from pg_attribute as a where a.attrelid = {}::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
        crate::backend::literal(&target(copy))
    )
}

/// What it answers.
pub(crate) fn table(rows: Rows) -> Result<Table, Report> {
    let mut table = Table::default();
    for row in rows {
        let mut values = row.into_iter();
        let mut next = || values.next().flatten().unwrap_or_default();
        table.oid = next().parse().unwrap_or_default();
        let (name, kind) = (next(), next());
        let (nullable, has_default, identity) = (next() != "t", next() == "t", next() == "t");
        if identity {
            continue;
        }
        let kind = Kind::by_name(&kind).ok_or_else(|| {
            Report::error(
                "0A000",
                format!("column \"{name}\" is of type {kind}, into which no COPY is played"),
            )
        })?;
        table.columns.push(Column { name, kind, nullable, has_default });
    }
    Ok(table)
}

/// Carries a COPY out, up to the rows.
pub(crate) fn execute(
    copy: &Copy,
    table: &Table,
    store: Option<&Store>,
) -> Result<Loaded, Failure> {
    let Some(store) = store else {
        return Err(Failure {
            sqlstate: "XX000",
            message: "the emulator was started without a store of objects".to_owned(),
            errors: Vec::new(),
            files: Vec::new(),
            started: false,
        });
    };
    copy::execute(copy, &table.columns, &store.open(copy)?)
}

/// Rows in the text form of COPY.
pub(crate) fn lines(rows: &[Vec<Option<String>>]) -> String {
    let mut out = String::new();
    for row in rows {
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                out.push('\t');
            }
            match value {
                None => out.push_str("\\N"),
                Some(text) => text.chars().for_each(|c| escape(c, &mut out)),
            }
        }
        out.push('\n');
    }
    out
}

fn escape(c: char, out: &mut String) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        c => out.push(c),
    }
}

/// Microseconds since 1970.
pub(crate) fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// What the load views show, of all sessions.
#[derive(Debug, Default)]
pub(crate) struct Loads {
    kept: Mutex<Kept>,
    /// So many times the views lack what the last COPY left: they are written apart from it.
    pub(crate) late: AtomicU32,
}

#[derive(Debug, Default)]
struct Kept {
    queries: i64,
    history: History,
    /// What only `STL_LOAD_ERRORS` shows, one for each error of the history.
    raw_lines: Vec<String>,
}

impl Loads {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of a new query.
    pub(crate) fn next_query(&self) -> i64 {
        let mut kept = self.kept();
        kept.queries += 1;
        kept.queries
    }

    /// Keeps what a COPY left.
    pub(crate) fn keep(&self, run: &Run, copy: &Copy, outcome: Result<&Loaded, &Failure>) {
        let mut kept = self.kept();
        kept.history.add(run, copy, outcome);
        let errors = outcome.map_or_else(|failure| &failure.errors, |loaded| &loaded.errors);
        let added = kept.history.errors.len() - kept.raw_lines.len();
        kept.raw_lines
            .extend(errors.iter().take(added).map(|error| error.raw_line.replace('\0', "?")));
    }

    /// Both views' rows, as JSON.
    pub(crate) fn shown(&self) -> (String, String) {
        let kept = self.kept();
        let late = self
            .late
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |times| times.checked_sub(1));
        let last = kept.history.loads.last().map(|load| load.query_id).filter(|_| late.is_ok());
        let value = |row: serde_json::Result<Value>| row.unwrap_or_default();
        let history = kept
            .history
            .loads
            .iter()
            .filter(|row| Some(row.query_id) != last)
            .map(|row| value(serde_json::to_value(row)));
        let errors = kept.history.errors.iter().zip(&kept.raw_lines);
        let errors = errors.filter(|(row, _)| Some(row.query_id) != last).map(|(row, raw)| {
            let mut row = value(serde_json::to_value(row));
            // The views pad them again.
            for text in row.as_object_mut().into_iter().flat_map(|row| row.values_mut()) {
                if let Value::String(padded) = text {
                    padded.truncate(padded.trim_end_matches(' ').len());
                }
            }
            row["raw_line"] = json!(raw);
            row["slice"] = json!(0);
            row
        });
        (history.collect::<Value>().to_string(), errors.collect::<Value>().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_postgresql_reads_them() {
        let rows = vec![vec![Some("a\tb\\\n".to_owned()), None, Some(String::new())]];
        assert_eq!(lines(&rows), "a\\tb\\\\\\n\t\\N\t\n");
    }
}
