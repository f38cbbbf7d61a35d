//! Interface between sessions and the COPY engine, and the rows of the load views.
//!
//! System tables are not transactional (DG/c_serial_isolation.html): rows of `SYS_LOAD_HISTORY` and
//! `SYS_LOAD_ERROR_DETAIL` survive a rollback, and a transaction that began earlier sees them.
//! Therefore no table stores them. The emulator keeps the rows in memory and passes them as JSON in
//! a setting to the session before a query on the views of `catalog/semantics.sql`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::backend::{Rows, quoted};
use crate::copy::history::{LoadLog, LoadRun};
use crate::copy::s3::Store;
use crate::copy::{self, Column, ColumnType, CopyStatement, LoadFailure, Loaded};
use crate::wire::Report;

/// Target table of a COPY, from the catalog.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) oid: i32,
    /// Loadable columns, which exclude IDENTITY columns (DG/r_CREATE_TABLE_NEW.html).
    pub(crate) columns: Vec<Column>,
}

/// Parses a COPY statement.
pub(crate) fn parse(statement: &str) -> Result<CopyStatement, Report> {
    copy::parse(statement).map_err(|error| Report::error(error.sqlstate, error.message))
}

/// Returns the quoted, optionally qualified name of the target table.
pub(crate) fn table_name(copy: &CopyStatement) -> String {
    let names = copy.schema.iter().chain([&copy.table]);
    names.map(|name| quoted(name)).collect::<Vec<_>>().join(".")
}

/// Returns the catalog query for the target table's columns.
pub(crate) fn columns_query(copy: &CopyStatement) -> String {
    format!(
        "select a.attrelid::bigint, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, a.attidentity = 'a' \
         from pg_attribute as a where a.attrelid = {}::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
        crate::backend::literal(&table_name(copy))
    )
}

/// Converts the result of [`columns_query`].
pub(crate) fn table(rows: Rows) -> Result<Table, Report> {
    let mut table = Table::default();
    for row in rows {
        let mut values = row.into_iter();
        let mut next = || values.next().flatten().unwrap_or_default();
        table.oid = next().parse().unwrap_or_default();
        let (name, type_name) = (next(), next());
        let (nullable, has_default, identity) = (next() != "t", next() == "t", next() == "t");
        if identity {
            continue;
        }
        let column_type = ColumnType::by_name(&type_name).ok_or_else(|| {
            Report::error(
                "0A000",
                format!(
                    "the emulator does not support COPY into column \"{name}\" of type {type_name}"
                ),
            )
        })?;
        table.columns.push(Column { name, column_type, nullable, has_default });
    }
    Ok(table)
}

/// Reads the objects of a COPY and converts them to rows.
pub(crate) fn execute(
    copy: &CopyStatement,
    table: &Table,
    store: Option<&Store>,
) -> Result<Loaded, LoadFailure> {
    let Some(store) = store else {
        return Err(LoadFailure {
            sqlstate: "XX000",
            message: "the emulator was started without an object store".to_owned(),
            errors: Vec::new(),
            files: Vec::new(),
            started: false,
        });
    };
    copy::execute(copy, &table.columns, &store.open(copy)?)
}

/// Formats rows in PostgreSQL's COPY text format.
pub(crate) fn copy_text(rows: &[Vec<Option<String>>]) -> String {
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

/// Returns the microseconds since 1970.
pub(crate) fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Rows of the load views, of all sessions.
#[derive(Debug, Default)]
pub(crate) struct LoadViews {
    state: Mutex<State>,
    /// Number of reads that will omit the rows of the last COPY.
    pub(crate) delayed_reads: AtomicU32,
    /// Number of further reads that will show the last COPY as running.
    pub(crate) running_reads: AtomicU32,
}

#[derive(Debug, Default)]
struct State {
    last_query: i64,
    log: LoadLog,
    /// Raw line of each error in `log`; only `STL_LOAD_ERRORS` has this column.
    raw_lines: Vec<String>,
}

impl LoadViews {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the ID of a new query.
    pub(crate) fn next_query(&self) -> i64 {
        let mut state = self.state();
        state.last_query += 1;
        state.last_query
    }

    /// Records a finished COPY.
    pub(crate) fn record(
        &self,
        run: &LoadRun,
        copy: &CopyStatement,
        outcome: Result<&Loaded, &LoadFailure>,
    ) {
        let mut state = self.state();
        state.log.add(run, copy, outcome);
        let errors = outcome.map_or_else(|failure| &failure.errors, |loaded| &loaded.errors);
        // The log has no row for a COPY that was rejected before loading began.
        let added = state.log.errors.len() - state.raw_lines.len();
        state
            .raw_lines
            .extend(errors.iter().take(added).map(|error| error.raw_line.replace('\0', "?")));
    }

    /// Returns the rows of the load history and of the errors as JSON.
    pub(crate) fn rows(&self) -> (String, String) {
        let state = self.state();
        let take = |reads: &AtomicU32| {
            let one_less = |reads: u32| reads.checked_sub(1);
            reads.try_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
        };
        let last = state.log.loads.last().map(|load| load.query_id);
        let hidden = last.filter(|_| take(&self.delayed_reads));
        let running = last.filter(|_| hidden.is_none() && take(&self.running_reads));
        let value = |row: serde_json::Result<Value>| row.unwrap_or_default();
        let history =
            state.log.loads.iter().filter(|row| Some(row.query_id) != hidden).map(|row| {
                let is_running = Some(row.query_id) == running;
                let running = is_running.then(|| row.while_running());
                value(serde_json::to_value(running.as_ref().unwrap_or(row)))
            });
        let errors = state.log.errors.iter().zip(&state.raw_lines);
        let errors = errors.filter(|(row, _)| Some(row.query_id) != hidden).map(|(row, raw)| {
            let mut row = value(serde_json::to_value(row));
            // The views pad the values again with their CHAR types.
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
    fn rows_are_escaped_for_copy_text_format() {
        let rows = vec![vec![Some("a\tb\\\n".to_owned()), None, Some(String::new())]];
        assert_eq!(copy_text(&rows), "a\\tb\\\\\\n\t\\N\t\n");
    }
}
