//! COPY: the engine reads the objects, the proxy brings the rows into the client's own transaction.
//!
//! The target's columns come from the catalog; the rows go in by the backend's COPY FROM STDIN, of which the client sees nothing but the
//! command's tag and the notices of Redshift. What the load views show is kept whether or not the transaction commits.

use std::io;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Session, Sink, lost};
use crate::backend::{Rows, literal, quoted};
use crate::clock::timestamp;
use crate::load::{self, Column, Failed, Loaded, Record};
use crate::log::Outcome;
use crate::wire::{self, Report};

/// What is known of the table that is loaded.
struct Table {
    oid: i64,
    name: String,
    columns: Vec<Column>,
}

impl Session {
    /// A COPY statement.
    pub(super) fn copy(
        &mut self,
        text: &str,
        out: &mut dyn Sink,
        lose: bool,
    ) -> io::Result<Outcome> {
        let aim = match load::aim(text) {
            Ok(aim) => aim,
            Err(report) => return self.refuse(report, out),
        };
        let table = match self.table(&aim.table)? {
            Ok(table) => table,
            Err(report) => return self.refuse(report, out),
        };
        let query = self.house.loads.next_query();
        let started = SystemTime::now();
        let loaded = load::load(text, &table.columns);
        if lose {
            return Err(lost());
        }
        let loaded = match loaded {
            Ok(loaded) => self.fill(&aim.table, loaded)?,
            Err(failed) => Err(failed),
        };
        let common = self.common(query, &table, started);
        match loaded {
            Ok(loaded) => {
                self.last_copy = (query, loaded.loaded);
                announce(&table.name, &loaded, out)?;
                self.house.loads.keep(&common, Some(loaded.history), loaded.errors);
                out.message(b'C', &wire::strings(&["COPY"]))?;
                Ok(Outcome::Done("COPY".to_owned()))
            }
            Err(failed) => {
                self.house.loads.keep(&common, failed.history, failed.errors);
                self.refuse(failed.report, out)
            }
        }
    }

    /// The table that a COPY names.
    fn table(&mut self, name: &str) -> io::Result<Result<Table, Report>> {
        let relation = format!("{}::regclass", literal(name));
        let asked = self.backend.ask(&format!(
            "select a.attrelid::bigint, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity <> '', \
             pg_get_expr(d.adbin, d.adrelid) \
             from pg_attribute as a join pg_class as c on c.oid = a.attrelid \
             left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum \
             where a.attrelid = {relation} and a.attnum > 0 and not a.attisdropped order by a.attnum"
        ))?;
        Ok(match asked {
            Ok(rows) => Ok(read_table(rows)),
            Err(_) => {
                let bare = name.rsplit('.').next().unwrap_or(name).replace('"', "");
                Err(Report::error("XX000", format!("Cannot COPY into nonexistent table {bare}")))
            }
        })
    }

    /// Brings the rows in.
    fn fill(&mut self, table: &str, loaded: Loaded) -> io::Result<Result<Loaded, Failed>> {
        if loaded.rows.is_empty() {
            return Ok(Ok(loaded));
        }
        let columns: Vec<String> = loaded.columns.iter().map(|name| quoted(name)).collect();
        let copy = format!("copy {table} ({}) from stdin", columns.join(", "));
        let mut lines = String::new();
        for row in &loaded.rows {
            line(row, &mut lines);
        }
        let filled = self.backend.fill(&copy, &lines)?;
        Ok(filled.map(|_| loaded).map_err(|report| super::relay::translated(report, true).into()))
    }

    /// What every row of the load views has in common.
    fn common(&self, query: i64, table: &Table, started: SystemTime) -> Record {
        let took = started.elapsed().unwrap_or_default();
        let values = json!({
            "user_id": 100,
            "query_id": query,
            "session_id": self.number,
            "transaction_id": query,
            "database_name": self.house.options.database,
            "table_id": table.oid,
            "table_name": table.name,
            "start_time": timestamp(started),
            "end_time": timestamp(started + took),
            "duration": i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
        });
        match values {
            Value::Object(record) => record,
            _ => Record::new(),
        }
    }
}

fn read_table(rows: Rows) -> Table {
    let mut table = Table { oid: 0, name: String::new(), columns: Vec::new() };
    for row in rows {
        let mut values = row.into_iter();
        let mut next = || values.next().flatten();
        table.oid = next().and_then(|oid| oid.parse().ok()).unwrap_or_default();
        table.name = next().unwrap_or_default();
        table.columns.push(Column {
            name: next().unwrap_or_default(),
            kind: next().unwrap_or_default(),
            not_null: next().as_deref() == Some("t"),
            identity: next().as_deref() == Some("t"),
            default: next(),
        });
    }
    table
}

/// A row in the text form of COPY.
fn line(row: &[Option<String>], out: &mut String) {
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            out.push('\t');
        }
        match value {
            None => out.push_str("\\N"),
            Some(text) => {
                for c in text.chars() {
                    match c {
                        '\\' => out.push_str("\\\\"),
                        '\t' => out.push_str("\\t"),
                        '\n' => out.push_str("\\n"),
                        '\r' => out.push_str("\\r"),
                        c => out.push(c),
                    }
                }
            }
        }
    }
    out.push('\n');
}

/// What Redshift tells after a load: INFO, and a WARNING when rows were left out.
fn announce(table: &str, loaded: &Loaded, out: &mut dyn Sink) -> io::Result<()> {
    if loaded.skipped > 0 {
        let message = format!(
            "Load into table '{table}' completed, {} record(s) could not be loaded.  Check 'sys_load_error_detail' system table for details.",
            loaded.skipped
        );
        out.message(b'N', &Report::notice("WARNING", "01000", message).body())?;
    }
    let message = format!(
        "Load into table '{table}' completed, {} record(s) loaded successfully.",
        loaded.loaded
    );
    out.message(b'N', &Report::notice("INFO", "00000", message).body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_postgresql_reads_them() {
        let mut out = String::new();
        line(&[Some("a\tb\\\n".to_owned()), None, Some(String::new())], &mut out);
        assert_eq!(out, "a\\tb\\\\\\n\t\\N\t\n");
    }
}
