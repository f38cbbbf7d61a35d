//! COPY: the engine reads the objects, the proxy inserts the rows in the client's transaction.
//!
//! The target's columns come from the catalog. The proxy inserts the rows with the backend's COPY
//! FROM STDIN; the client gets only the command tag and Redshift's notices. The load views keep
//! their rows even if the transaction rolls back.

use std::io;
use std::time::SystemTime;

use super::{MessageSink, Session, injected_disconnect};
use crate::backend::quoted;
use crate::behavior::Behavior;
use crate::copy::history::LoadRun;
use crate::copy::{CopyStatement, JsonFormat, LoadFailure, Loaded};
use crate::load::{self, Table};
use crate::log::Outcome;
use crate::wire::{self, Report};

impl Session {
    /// Runs a COPY statement. `disconnect` drops the connection after the objects were read.
    pub(super) fn copy(
        &mut self,
        text: &str,
        out: &mut dyn MessageSink,
        disconnect: bool,
    ) -> io::Result<Outcome> {
        let mut copy = match load::parse(text) {
            Ok(copy) => copy,
            Err(report) => return self.fail_statement(report, out),
        };
        let is_auto = copy.options.json == Some(JsonFormat::Auto);
        if is_auto && self.cluster.is_disabled(Behavior::CaseSensitiveKeys) {
            copy.options.json = Some(JsonFormat::AutoIgnoreCase);
        }
        copy.options.cuts_fractions = self.cluster.is_disabled(Behavior::RefusesFractions);
        let table = match self.target_table(&copy)? {
            Ok(table) => table,
            Err(report) => return self.fail_statement(report, out),
        };
        let (query, started) = (self.cluster.load_views.next_query(), SystemTime::now());
        let loaded = load::execute(&copy, &table, self.cluster.options.store.as_ref());
        if disconnect {
            return Err(injected_disconnect());
        }
        let loaded = match loaded {
            Ok(loaded) => self.insert_rows(&copy, loaded)?,
            Err(failure) => Err(failure),
        };
        let run = self.load_run(query, &table, started);
        self.cluster.load_views.record(&run, &copy, loaded.as_ref());
        self.last_copy.update(self.cluster.stl_query(query), loaded.as_ref());
        match loaded {
            Ok(loaded) => {
                for notice in &loaded.notices {
                    out.message(b'N', &Report::notice("INFO", "00000", notice).body())?;
                }
                out.message(b'C', &wire::strings(&["COPY"]))?;
                Ok(Outcome::Done("COPY".to_owned()))
            }
            Err(failure) => {
                self.fail_statement(Report::error(failure.sqlstate, failure.message), out)
            }
        }
    }

    /// Looks up the target table of a COPY.
    fn target_table(&mut self, copy: &CopyStatement) -> io::Result<Result<Table, Report>> {
        let missing = || format!("Cannot COPY into nonexistent table {}", copy.table);
        Ok(match self.backend.query(&load::columns_query(copy))? {
            Ok(rows) => load::table(rows),
            Err(_) => Err(Report::error("XX000", missing())),
        })
    }

    /// Inserts the rows into the target table.
    fn insert_rows(
        &mut self,
        copy: &CopyStatement,
        loaded: Loaded,
    ) -> io::Result<Result<Loaded, LoadFailure>> {
        if loaded.rows.is_empty() {
            return Ok(Ok(loaded));
        }
        let columns: Vec<String> = loaded.columns.iter().map(|name| quoted(name)).collect();
        let statement =
            format!("copy {} ({}) from stdin", load::table_name(copy), columns.join(", "));
        Ok(match self.backend.copy_in(&statement, &load::copy_text(&loaded.rows))? {
            Ok(_) => Ok(loaded),
            // The engine accepted a value that PostgreSQL rejects. This is a bug of the emulator,
            // so the message names its origin.
            Err(report) => Err(LoadFailure {
                sqlstate: "XX000",
                message: format!("PostgreSQL rejected the rows of the COPY: {}", report.message),
                errors: loaded.errors,
                files: loaded.files,
                started: true,
            }),
        })
    }

    /// Returns the process of this session, as `pg_backend_pid()` does.
    fn process_id(&self) -> i32 {
        let [a, b, c, d, ..] = self.backend.cancel_key;
        i32::from_be_bytes([a, b, c, d])
    }

    fn load_run(&self, query: i64, table: &Table, started: SystemTime) -> LoadRun {
        LoadRun {
            user_id: 100,
            query_id: query,
            transaction_id: query,
            session_id: if self.cluster.is_disabled(Behavior::SessionsAreProcesses) {
                -self.process_id()
            } else {
                self.process_id()
            },
            stl_query: self.cluster.stl_query(query),
            database_name: self.cluster.options.database.clone(),
            table_id: table.oid,
            start_time: load::micros(started),
            end_time: load::micros(SystemTime::now()),
        }
    }
}
