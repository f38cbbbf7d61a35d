//! COPY: the engine reads the objects, the proxy brings the rows into the client's own transaction.
//!
//! The target's columns come from the catalog; the rows go in by the backend's COPY FROM STDIN, of which the client sees nothing but the
//! command's tag and the notices of Redshift. What the load views show is kept whether or not the transaction commits.

use std::io;
use std::time::SystemTime;

use super::{Session, Sink, lost};
use crate::backend::quoted;
use crate::copy::history::Run;
use crate::copy::{Copy, Failure, Loaded, Shape};
use crate::load::{self, Table};
use crate::log::Outcome;
use crate::wire::{self, Report};
use crate::without::Manner;

impl Session {
    /// A COPY statement; the connection may be lost in its midst.
    pub(super) fn copy(
        &mut self,
        text: &str,
        out: &mut dyn Sink,
        lose: bool,
    ) -> io::Result<Outcome> {
        let copy = match load::parse(text) {
            Ok(mut copy) => {
                if self.house.lacks(Manner::KeyCase) && copy.options.shape == Some(Shape::Auto) {
                    copy.options.shape = Some(Shape::AutoIgnoreCase);
                }
                copy
            }
            Err(report) => return self.refuse(report, out),
        };
        let table = match self.table(&copy)? {
            Ok(table) => table,
            Err(report) => return self.refuse(report, out),
        };
        let (query, started) = (self.house.loads.next_query(), SystemTime::now());
        let loaded = load::execute(&copy, &table, self.house.options.store.as_ref());
        if lose {
            return Err(lost());
        }
        let loaded = match loaded {
            Ok(loaded) => self.fill(&copy, loaded)?,
            Err(failure) => Err(failure),
        };
        let run = self.run(query, &table, started);
        self.house.loads.keep(&run, &copy, loaded.as_ref());
        self.last_copy.note(query, loaded.as_ref());
        match loaded {
            Ok(loaded) => {
                for notice in &loaded.notices {
                    out.message(b'N', &Report::notice("INFO", "00000", notice).body())?;
                }
                out.message(b'C', &wire::strings(&["COPY"]))?;
                Ok(Outcome::Done("COPY".to_owned()))
            }
            Err(failure) => self.refuse(Report::error(failure.sqlstate, failure.message), out),
        }
    }

    /// The table that a COPY names.
    fn table(&mut self, copy: &Copy) -> io::Result<Result<Table, Report>> {
        let missing = || format!("Cannot COPY into nonexistent table {}", copy.table);
        Ok(match self.backend.ask(&load::question(copy))? {
            Ok(rows) => load::table(rows),
            Err(_) => Err(Report::error("XX000", missing())),
        })
    }

    /// Brings the rows in.
    fn fill(&mut self, copy: &Copy, loaded: Loaded) -> io::Result<Result<Loaded, Failure>> {
        if loaded.rows.is_empty() {
            return Ok(Ok(loaded));
        }
        let columns: Vec<String> = loaded.columns.iter().map(|name| quoted(name)).collect();
        let fill = format!("copy {} ({}) from stdin", load::target(copy), columns.join(", "));
        Ok(match self.backend.fill(&fill, &load::lines(&loaded.rows))? {
            Ok(_) => Ok(loaded),
            // The backend refuses what the engine took: said as it is, so that it is seen.
            Err(report) => Err(Failure {
                sqlstate: "XX000",
                message: format!("the backend refused what COPY made: {}", report.message),
                errors: loaded.errors,
                files: loaded.files,
                started: true,
            }),
        })
    }

    fn run(&self, query: i64, table: &Table, started: SystemTime) -> Run {
        Run {
            user_id: 100,
            query_id: query,
            transaction_id: query,
            session_id: i32::try_from(self.number).unwrap_or(i32::MAX),
            database_name: self.house.options.database.clone(),
            table_id: table.oid,
            start_time: load::micros(started),
            end_time: load::micros(SystemTime::now()),
        }
    }
}
