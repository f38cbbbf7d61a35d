//! PostgreSQL 14 or later: the warehouse is a schema of a database.
//!
//! `session.sql` sets the time zone, the schema and the output formats, independent of the server's
//! defaults. A reading connection keeps one snapshot in a read-only transaction. A load holds an
//! advisory lock on its schema, so that two loads never run at the same time.

mod copy;
mod decode;
mod parameter;
mod statement_guard;
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

/// Name of the engine in conditional comments.
pub const ENGINE: &str = "postgres";

sql_files! {
    /// SQL files of this engine.
    pub mod dialect in "dialect/postgres" {
        SESSION = "session",
        SCHEMA = "schema",
        READ_ONLY = "read_only",
        TEMPORARY = "temporary",
        TEMPORARY_TABLES = "temporary_tables",
        COMPACT = "compact",
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
        SUMMARIZE = "summarize",
    }
}

/// Oldest supported version, as `server_version_num`.
const MIN_VERSION: i64 = 140_000;

/// Resource limits of a session.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory of the server for sorts and joins, in bytes.
    pub memory: u64,
    /// Number of threads that encode rows.
    pub threads: usize,
}

/// Session on a PostgreSQL server.
pub struct Postgres {
    wire: Wire,
    server: Arc<Server>,
    access: Access,
    limits: Limits,
    /// Filter of a user's statements.
    guard: Option<statement_guard::StatementGuard>,
    /// True if this session holds the load lock.
    has_load_lock: bool,
}

impl Postgres {
    /// Connects and configures the session.
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
        self.check_server(&found)?;
        // Not every operating system supports detection of a lost client
        // (`client_connection_check_interval`). Without it the server notices the loss only when it
        // sends a result.
        if let Err(error) = self.run(&dialect::CONNECTION_CHECK) {
            tracing::debug!("{error}");
        }
        if self.access == Access::Write {
            return self.set_work_mem();
        }
        if self.access.is_guarded() {
            let allows_superuser = self.server.allows_superuser;
            self.guard = Some(statement_guard::StatementGuard::new(self, allows_superuser)?);
        }
        self.run(&dialect::READ_ONLY)
    }

    /// Allows an eighth of the limit, because a statement has several sorts and joins at a time.
    fn set_work_mem(&mut self) -> Result<(), WarehouseError> {
        let share = Value::Text(format!("{}kB", (self.limits.memory >> 13).max(4096)));
        self.query_file(&dialect::WORK_MEM, &[share], 1).map(drop)
    }

    /// Checks version and encoding of the server, which follow the schema in `found`.
    fn check_server(&self, found: &[Value]) -> Result<(), WarehouseError> {
        let text = |at: usize| found.get(at).map(Value::to_string).unwrap_or_default();
        let number = found.get(1).and_then(Value::as_i64).unwrap_or_default();
        let (reason, hint) = if number < MIN_VERSION {
            let reason = format!("the server is PostgreSQL {}; 14 or later is required", text(2));
            (reason, "use another server")
        } else if text(3) != "UTF8" {
            let reason = format!("the database is in the encoding {}, not in UTF-8", text(3));
            (reason, "create one with `encoding 'UTF8' template template0`")
        } else {
            return Ok(());
        };
        let server = self.server.to_string();
        Err(WarehouseError::NotConnected { server, reason, hint: hint.into() })
    }

    /// Replaces a lost session. The server has rolled back its transaction.
    fn reconnect(&mut self) -> Result<(), WarehouseError> {
        self.wire = Wire::connect(&self.server)?;
        self.begin_session()?;
        if std::mem::take(&mut self.has_load_lock) { self.acquire(&mut || {}) } else { Ok(()) }
    }

    /// Joins the statements of a file, so that the server runs them in one request.
    fn text(&self, file: &SqlFile) -> String {
        file.statements(Opening::full(self.engine())).join(";\n")
    }

    fn is_true(&mut self, file: &SqlFile, parameters: &[Value]) -> Result<bool, WarehouseError> {
        Ok(self.query_file(file, parameters, 1)?.scalar() == Some(&Value::Bool(true)))
    }

    fn prepare(&self, statement: &str) -> Result<Statement, WarehouseError> {
        let prepared = self.wire.wait(self.wire.client.prepare(statement));
        prepared.map_err(|error| self.wire.statement_error(&error, statement))
    }

    /// Streams rows in binary format.
    fn query_binary(
        &self,
        (statement, text): (&Statement, &str),
        parameters: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        let failed = |error: tokio_postgres::Error| self.wire.statement_error(&error, text);
        let parameters = parameters.iter().map(parameter::Parameter);
        let rows = self.wire.wait(self.wire.client.query_raw(statement, parameters));
        let rows = rows.map_err(failed)?;
        pin_mut!(rows);
        while let Some(row) = self.wire.wait(rows.try_next()).map_err(failed)? {
            let value = |at| row.try_get::<_, decode::Decoded>(at).map(|decoded| decoded.0);
            let values: Result<Vec<Value>, _> = (0..row.len()).map(value).collect();
            sink.row(values.map_err(failed)?)?;
        }
        Ok(())
    }

    /// Streams rows in text format, for types without a binary decoder.
    fn query_text(
        &self,
        (statement, text): (&Statement, &str),
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        let failed = |error: tokio_postgres::Error| self.wire.statement_error(&error, text);
        let rows = self.wire.wait(self.wire.client.simple_query_raw(text)).map_err(failed)?;
        pin_mut!(rows);
        while let Some(message) = self.wire.wait(rows.try_next()).map_err(failed)? {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let columns = statement.columns().iter().enumerate();
            let value = |(at, column): (usize, &tokio_postgres::Column)| match row.try_get(at) {
                Ok(Some(text)) => Ok(decode::from_text(column.type_(), text)),
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
        let done = done.map_err(|error| self.wire.statement_error(&error, statement));
        let done = match done {
            // The server rolled back with the lost session. A new session lets the caller record
            // the failed load.
            Err(WarehouseError::Lost { .. }) if statement == "rollback" => {
                return self.reconnect().map(|()| 0);
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

    /// Sends the statements in one request; outside of a transaction they form one.
    fn execute_all(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        if statements.is_empty() {
            return Ok(());
        }
        self.execute(&statements.join(";\n")).map(drop)
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        if let Some(guard) = &self.guard {
            guard.check(statement)?;
        }
        let started = Instant::now();
        // Preparing accepts a single statement, so that no second one can follow it.
        let prepared = self.prepare(statement)?;
        let columns = prepared.columns();
        let types: Vec<ResultType> = columns.iter().map(decode::result_type).collect();
        sink.types(&types)?;
        sink.start(columns.iter().map(|column| column.name().to_owned()).collect())?;
        let is_binary = columns.iter().all(|column| decode::has_binary_decoder(column.type_()));
        if is_binary || !parameters.is_empty() {
            self.query_binary((&prepared, statement), parameters, sink)?;
        } else {
            self.query_text((&prepared, statement), sink)?;
        }
        tracing::debug!(ms = started.elapsed().as_millis(), "{statement}");
        Ok(())
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        let started = Instant::now();
        // Checks privileges first: a COPY that the server refuses costs the session.
        self.execute(&split(&with_table(dialect::CHECK_INSERT.text, table)).concat())?;
        let statement = split(&with_table(dialect::LOAD.text, table)).concat();
        let rows = copy::load(&self.wire, &statement, source.as_ref(), self.limits.threads)?;
        tracing::debug!(rows, ms = started.elapsed().as_millis(), "{statement}");
        Ok(rows)
    }

    fn interrupter(&self) -> Option<Interrupter> {
        Some(self.wire.interrupter())
    }

    /// Begins a new snapshot in a transaction that is not read-only, since the server permits
    /// `create temp table` in no other. It never commits. Guarded connections stay read-only.
    fn allow_temporary_tables(&mut self) -> Result<bool, WarehouseError> {
        if self.access != Access::Read || !self.is_true(&dialect::TEMPORARY, &[])? {
            return Ok(false);
        }
        self.run(&dialect::TEMPORARY_TABLES)?;
        self.set_work_mem().map(|()| true)
    }

    fn compact(mut self: Box<Self>) -> Result<(), WarehouseError> {
        split(dialect::COMPACT.text).iter().try_for_each(|sql| self.execute(sql).map(drop))
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        FoundColumn::query(self, &dialect::CATALOG, &[])
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

    fn functions(&self) -> Vec<String> {
        split(dialect::PRELUDE.text)
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
        self.execute_all(&statements)?;
        self.query_file(&dialect::SUMMARIZE, &[], 0).map(drop)
    }
}
