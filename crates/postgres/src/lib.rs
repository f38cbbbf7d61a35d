//! PostgreSQL, from version 14 on: the warehouse in a schema of a database that others may read at the same time.
//!
//! A session is made ours first (`session.sql`): UTC, our schema, nothing of the server's taste. Who only reads has one snapshot for as long as the
//! connection lives, in a transaction that cannot write. A load holds an advisory lock of its schema, so that two never work at once.

mod answer;
mod bound;
mod copy;
mod guard;
pub mod wire;

use std::sync::Arc;
use std::time::Instant;

use futures_util::{TryStreamExt, pin_mut};
use tokio_postgres::{SimpleQueryMessage, Statement};

use sparkify_config::Server;
use sparkify_warehouse::{
    Access, FoundColumn, Interrupter, LoadLock, LockScope, Opening, ResultType, RowSink, RowSource,
    SqlFile, Statistics, Value, Warehouse, WarehouseError, split, sql_files, with_table,
};
use wire::Wire;

/// The engine's name in conditional comments.
pub const ENGINE: &str = "postgres";

sql_files! {
    /// SQL files of this engine.
    pub mod dialect in "dialect/postgres" {
        SESSION = "session",
        SCHEMA = "schema",
        READ_ONLY = "read_only",
        CONNECTION_CHECK = "connection_check",
        WORK_MEM = "work_mem",
        SUPERUSER = "superuser",
        INSTALLED = "installed",
        CREATE_SCHEMA = "create_schema",
        PRELUDE = "prelude",
        TRY_LOAD_LOCK = "try_load_lock",
        LOAD_LOCK = "load_lock",
        CATALOG = "catalog",
        CHECK_INSERT = "check_insert",
        LOAD = "load",
        STALE_STATISTICS = "stale_statistics",
        ANALYZE = "analyze",
    }
}

/// The oldest version that is served, in the server's own count.
const OLDEST: i64 = 140_000;

/// What it may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes for its sorts and joins.
    pub memory: u64,
    /// Threads that make rows.
    pub threads: usize,
}

/// One session.
pub struct Postgres {
    wire: Wire,
    server: Arc<Server>,
    access: Access,
    limits: Limits,
    guard: Option<guard::Guard>,
    /// Whether this session alone loads.
    has_load_lock: bool,
}

impl Postgres {
    /// Connects, and makes the session ours.
    pub fn open(server: &Server, access: Access, limits: Limits) -> Result<Self, WarehouseError> {
        let server = Arc::new(server.clone());
        let wire = Wire::connect(&server)?;
        let mut warehouse =
            Self { wire, server, access, limits, guard: None, has_load_lock: false };
        warehouse.begin_session()?;
        Ok(warehouse)
    }

    fn begin_session(&mut self) -> Result<(), WarehouseError> {
        self.execute(&self.text(&dialect::SESSION))?;
        let schema = Value::Text(self.server.schema.clone());
        let found = self.query_file(&dialect::SCHEMA, &[schema], 1)?.rows.concat();
        self.is_fit(&found)?;
        if self.access == Access::Write {
            // A system without this notices later, when it answers.
            if let Err(error) = self.run(&dialect::CONNECTION_CHECK) {
                tracing::debug!("{error}");
            }
            // A share of what may be used: a statement sorts and joins in several places at once.
            let share = Value::Text(format!("{}kB", (self.limits.memory >> 13).max(4096)));
            return self.query_file(&dialect::WORK_MEM, &[share], 1).map(drop);
        }
        if self.access == Access::Guarded {
            self.guard = Some(guard::Guard::of(self)?);
        }
        self.run(&dialect::READ_ONLY)
    }

    /// Whether what the server says of itself, behind the schema, is what we need.
    fn is_fit(&self, found: &[Value]) -> Result<(), WarehouseError> {
        let text = |at: usize| found.get(at).map(Value::to_string).unwrap_or_default();
        let number = found.get(1).and_then(Value::as_i64).unwrap_or_default();
        let (reason, hint) = if number < OLDEST {
            let reason = format!("the server is PostgreSQL {}, and 14 or later is needed", text(2));
            (reason, "name another server")
        } else if text(3) != "UTF8" {
            let reason = format!("the database is in the encoding {}, not in UTF-8", text(3));
            (reason, "create one with `encoding 'UTF8' template template0`")
        } else {
            return Ok(());
        };
        let server = self.server.to_string();
        Err(WarehouseError::NotConnected { server, reason, hint: hint.into() })
    }

    /// A session in place of one that is lost. Whatever that one had not committed is undone by now.
    fn begin_again(&mut self) -> Result<(), WarehouseError> {
        self.wire = Wire::connect(&self.server)?;
        self.begin_session()?;
        if std::mem::take(&mut self.has_load_lock) { self.acquire(&mut || {}) } else { Ok(()) }
    }

    /// The statements of a file as one text, which the server takes in one go.
    fn text(&self, file: &SqlFile) -> String {
        file.statements(Opening::full(self.engine())).join(";\n")
    }

    fn is_true(&mut self, file: &SqlFile, parameters: &[Value]) -> Result<bool, WarehouseError> {
        Ok(self.query_file(file, parameters, 1)?.scalar() == Some(&Value::Bool(true)))
    }

    fn prepared(&self, statement: &str) -> Result<Statement, WarehouseError> {
        let prepared = self.wire.wait(self.wire.client.prepare(statement));
        prepared.map_err(|error| self.wire.failed(&error, statement))
    }

    /// Rows in the protocol's own form of each type.
    fn binary(
        &self,
        (statement, text): (&Statement, &str),
        parameters: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        let failed = |error: tokio_postgres::Error| self.wire.failed(&error, text);
        let parameters = parameters.iter().map(bound::Bound);
        let rows = self.wire.wait(self.wire.client.query_raw(statement, parameters));
        let rows = rows.map_err(failed)?;
        pin_mut!(rows);
        while let Some(row) = self.wire.wait(rows.try_next()).map_err(failed)? {
            let value = |at| row.try_get::<_, answer::Answered>(at).map(|answered| answered.0);
            let values: Result<Vec<Value>, _> = (0..row.len()).map(value).collect();
            sink.row(values.map_err(failed)?)?;
        }
        Ok(())
    }

    /// Rows as text: of types whose own form only the server knows.
    fn textual(
        &self,
        (statement, text): (&Statement, &str),
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        let failed = |error: tokio_postgres::Error| self.wire.failed(&error, text);
        let rows = self.wire.wait(self.wire.client.simple_query_raw(text)).map_err(failed)?;
        pin_mut!(rows);
        while let Some(message) = self.wire.wait(rows.try_next()).map_err(failed)? {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let columns = statement.columns().iter().enumerate();
            let value = |(at, column): (usize, &tokio_postgres::Column)| match row.try_get(at) {
                Ok(Some(text)) => Ok(answer::from_text(column.type_(), text)),
                Ok(None) => Ok(Value::Null),
                Err(error) => Err(failed(error)),
            };
            sink.row(columns.map(value).collect::<Result<_, _>>()?)?;
        }
        Ok(())
    }
}

impl Warehouse for Postgres {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        let started = Instant::now();
        let done = self.wire.wait(self.wire.client.simple_query(statement));
        let done = done.map_err(|error| self.wire.failed(&error, statement));
        let done = match done {
            // The session that a load had is gone, and with it all of the load: what remains is to say so, in another.
            Err(WarehouseError::Lost { .. }) if statement == "rollback" => {
                return self.begin_again().map(|()| 0);
            }
            done => done?,
        };
        let changed = done.iter().map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => *rows,
            _ => 0,
        });
        let changed = changed.sum();
        tracing::debug!(rows = changed, ms = started.elapsed().as_millis(), "{statement}");
        Ok(changed)
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        if let Some(guard) = &self.guard {
            guard.admit(statement)?;
        }
        let started = Instant::now();
        // Only one statement can be prepared: none hides behind another.
        let prepared = self.prepared(statement)?;
        let columns = prepared.columns();
        let types: Vec<ResultType> = columns.iter().map(answer::kind).collect();
        sink.types(&types)?;
        sink.start(columns.iter().map(|column| column.name().to_owned()).collect())?;
        let known = columns.iter().all(|column| answer::is_known(column.type_()));
        if known || !parameters.is_empty() {
            self.binary((&prepared, statement), parameters, sink)?;
        } else {
            self.textual((&prepared, statement), sink)?;
        }
        tracing::debug!(ms = started.elapsed().as_millis(), "{statement}");
        Ok(())
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        let started = Instant::now();
        // Whether the rows may come is asked before the copy is begun: one that is refused costs the session.
        self.execute(&split(&with_table(dialect::CHECK_INSERT.text, table)).concat())?;
        let statement = split(&with_table(dialect::LOAD.text, table)).concat();
        let rows = copy::load(&self.wire, &statement, source.as_ref(), self.limits.threads)?;
        tracing::debug!(rows, ms = started.elapsed().as_millis(), "{statement}");
        Ok(rows)
    }

    fn interrupter(&self) -> Option<Interrupter> {
        Some(self.wire.interrupter())
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        let found = self.query_file(&dialect::CATALOG, &[], usize::MAX)?;
        Ok(FoundColumn::from_rows(&found.rows))
    }

    fn load_lock(&mut self) -> Option<&mut dyn LoadLock> {
        Some(self)
    }

    fn statistics(&mut self) -> Option<&mut dyn Statistics> {
        Some(self)
    }

    fn install(&mut self, rebuild: bool) -> Result<(), WarehouseError> {
        let schema = Value::Text(self.server.schema.clone());
        let found = self.query_file(&dialect::INSTALLED, &[schema], 1)?.rows;
        let is = |at: usize| found.first().and_then(|row| row.get(at)) == Some(&Value::Bool(true));
        if !is(0) {
            let statement = split(&with_table(dialect::CREATE_SCHEMA.text, &self.server.schema));
            self.execute_all(&statement)?;
        }
        if rebuild || !is(1) { self.run(&dialect::PRELUDE) } else { Ok(()) }
    }
}

impl LoadLock for Postgres {
    fn acquire(&mut self, waiting: &mut dyn FnMut()) -> Result<(), WarehouseError> {
        let schema = [Value::Text(self.server.schema.clone())];
        if !self.has_load_lock && !self.is_true(&dialect::TRY_LOAD_LOCK, &schema)? {
            waiting();
            self.query_file(&dialect::LOAD_LOCK, &schema, 1)?;
        }
        self.has_load_lock = true;
        Ok(())
    }

    fn scope(&self) -> LockScope {
        LockScope::Session
    }
}

impl Statistics for Postgres {
    fn analyze(&mut self) -> Result<(), WarehouseError> {
        let outgrown = self.query_file(&dialect::STALE_STATISTICS, &[], usize::MAX)?.rows;
        let tables = outgrown.iter().filter_map(|row| row.first().and_then(Value::as_text));
        let analyze = |table| split(&with_table(dialect::ANALYZE.text, table)).concat();
        let statements: Vec<String> = tables.map(analyze).collect();
        self.execute_all(&statements)
    }
}
