//! Amazon Redshift engine. It sends only SQL that the Redshift guide documents; see
//! `sql/dialect/redshift` and docs/explanation/redshift-loads.md.
//!
//! Statements are sent as text over a [`channel`], with values as literals ([`literal`]). Read-only
//! connections send only statements that [`read_guard`] accepts. Rows are loaded by COPY from
//! staged files ([`staged`]) or directly from the source objects ([`direct_copy`]). Load metadata
//! is inserted as literals ([`inserts`]).

mod channel;
mod copy;
mod copy_entry;
mod data_api;
mod data_api_result;
mod decode;
mod direct_copy;
mod error;
mod inserts;
mod json_lines;
mod keep_alive;
mod literal;
mod message;
mod part_writer;
mod read_guard;
mod service;
mod sign_in;
mod staged;
mod upload;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sparkify_config::{DEFAULT_SCHEMA, Server, Settings};
use sparkify_warehouse::{
    Access, ColumnType, CopyRequest, CopyResult, FoundColumn, Interrupter, LoadLock, LockScope,
    Naming, Reconnect, RemoteCopy, RowSink, RowSource, SqlFile, UploadedFiles, Value, Warehouse,
    WarehouseError, WrittenRows, split, sql_files, with_table,
};

use channel::{Channel, ChannelError, Discard};
use direct_copy::DirectCopy;
pub use error::unreachable;
use read_guard::Refused;
use staged::Staging;

/// The engine's name in conditional comments.
pub const ENGINE: &str = "redshift";

sql_files! {
    /// SQL files of this engine.
    pub mod dialect in "dialect/redshift" {
        PRELUDE = "prelude",
        FUNCTIONS = "functions",
        CATALOG = "catalog",
        SESSION = "session",
        SCHEMA = "schema",
        SESSION_END = "session_end",
        KEEP_ALIVE = "keep_alive",
        SLICES = "slices",
        INSERT = "insert",
        APPEND = "append",
        COPY_STAGED = "copy_staged",
        SESSION_ID = "session_id",
        COPIED_ROWS = "copied_rows",
        LAST_COPY_ENTRY = "last_copy_entry",
        COPY_HISTORY = "copy_history",
        LOAD_ERRORS = "load_errors",
        COPY_DIRECT = "copy_direct",
        REJECTED_RECORDS = "rejected_records",
        COMPACT = "compact",
    }
}

/// Compatibility probes: statements and the results that the guide documents.
const PROBES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/dialect/redshift/probes.toml"));

/// Number of slices if it is neither configured nor visible, as on Serverless.
const DEFAULT_SLICES: usize = 8;
/// Length in bytes of a VARCHAR declared without a length.
const DEFAULT_VARCHAR_BYTES: usize = 256;

/// Connection to a Redshift cluster or workgroup.
pub struct Redshift {
    channel: Box<dyn Channel>,
    /// True between `begin` and the end of the transaction. Only writing connections open one.
    in_transaction: bool,
    access: Access,
    schema: String,
    server: String,
    staging: Option<Staging>,
    direct_copy: DirectCopy,
    slices: usize,
    /// Column names of each table, once the catalog was queried.
    columns: BTreeMap<String, Vec<String>>,
    /// True once this connection has removed leftover staged files.
    leftovers_removed: bool,
    /// Process of the session, once it was queried.
    session_id: Option<i64>,
}

impl Redshift {
    /// Connects and configures the session. A connection with write access also gets the settings
    /// of staged and direct COPY.
    pub fn open(
        server: &Arc<Server>,
        settings: &Settings,
        access: Access,
    ) -> Result<Self, WarehouseError> {
        let channel: Box<dyn Channel> = match &server.data_api {
            Some(_) => Box::new(data_api::DataApi::begin(server, settings, access)?),
            None => Box::new(wire::WireChannel::connect(server)?),
        };
        let (staging, direct_copy) = if access == Access::Write {
            (copy::staging(settings)?, DirectCopy::new(settings)?)
        } else {
            (None, DirectCopy::default())
        };
        let mut warehouse = Self {
            channel,
            in_transaction: false,
            access,
            schema: server.schema.clone(),
            server: server.to_string(),
            staging,
            direct_copy,
            slices: settings.staging.slices.unwrap_or(DEFAULT_SLICES),
            columns: BTreeMap::new(),
            leftovers_removed: false,
            session_id: None,
        };
        warehouse.begin_session()?;
        if warehouse.staging.is_some() && settings.staging.slices.is_none() {
            warehouse.count_slices();
        }
        Ok(warehouse)
    }

    /// Applies the session settings, one statement per request: the guide does not document that a
    /// setting outlives a transaction of several statements.
    fn begin_session(&mut self) -> Result<(), WarehouseError> {
        let statements = self.with_schema(&dialect::SESSION);
        statements.iter().try_for_each(|statement| self.run(statement).map(drop))
    }

    fn with_schema(&self, file: &SqlFile) -> Vec<String> {
        split(&with_schema(file.text, &self.schema))
    }

    /// Returns true if all UDFs of sparkify exist in the schema.
    fn has_functions(&mut self) -> Result<bool, WarehouseError> {
        let schema = [Value::Text(self.schema.clone())];
        let found = self.query_file(&dialect::FUNCTIONS, &schema, usize::MAX)?;
        let exists = |name: &str| {
            found.rows.iter().any(|row| row.first().and_then(Value::as_text) == Some(name))
        };
        let prelude = split(dialect::PRELUDE.text);
        let mut names = prelude.iter().filter_map(|statement| {
            statement.strip_prefix("create or replace function ")?.split('(').next()
        });
        Ok(names.all(exists))
    }

    fn count_slices(&mut self) {
        match self.query_file(&dialect::SLICES, &[], 1) {
            Ok(result) => {
                let slices = result.scalar().and_then(Value::as_i64).unwrap_or_default();
                self.slices = usize::try_from(slices)
                    .ok()
                    .filter(|slices| *slices > 0)
                    .unwrap_or(DEFAULT_SLICES);
            }
            // Serverless does not expose its slices; the default is used.
            Err(error) => tracing::debug!("cannot count slices: {error}"),
        }
    }

    /// Runs a statement and discards its rows.
    fn run(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.send(statement, &mut Discard)
    }

    /// Runs a statement and passes its rows to `sink`. Tracks the state of the transaction.
    fn send(&mut self, statement: &str, sink: &mut dyn RowSink) -> Result<u64, WarehouseError> {
        if statement.len() > self.channel.max_statement_len() {
            return Err(WarehouseError::Statement {
                message: format!(
                    "the statement has {} bytes and exceeds the limit of this connection",
                    statement.len()
                ),
                hint: Some(format!("the limit is {} bytes", self.channel.max_statement_len())),
            });
        }
        let started = Instant::now();
        match self.channel.send(statement, sink) {
            Ok(changed) => {
                match statement {
                    "begin" => self.in_transaction = true,
                    "commit" | "rollback" => self.in_transaction = false,
                    _ => {}
                }
                tracing::debug!(rows = changed, ms = started.elapsed().as_millis(), "{statement}");
                Ok(changed)
            }
            Err(error) => Err(self.classify_error(error, statement)),
        }
    }

    /// Runs statements as one transaction, in one request where the channel can.
    fn run_batch(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        if !self.channel.supports_batch(statements) {
            return self.in_own_transaction(|redshift| {
                statements.iter().try_for_each(|statement| redshift.run(statement).map(drop))
            });
        }
        let started = Instant::now();
        self.channel
            .send_batch(statements)
            .map_err(|error| self.classify_error(error, &statements.concat()))?;
        for statement in statements {
            tracing::debug!(ms = started.elapsed().as_millis(), "{statement}");
        }
        Ok(())
    }

    /// Runs `work` in the transaction of the caller, or in one of its own.
    fn in_own_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, WarehouseError>,
    ) -> Result<T, WarehouseError> {
        if self.in_transaction {
            return work(self);
        }
        self.run("begin")?;
        let done = work(self);
        match &done {
            Ok(_) => self.run("commit").map(drop)?,
            // The error of the work is reported, not that of the rollback.
            Err(_) => drop(self.run("rollback")),
        }
        done
    }

    /// Refuses a statement that may write on a read-only connection.
    fn check_access(&self, statement: &str) -> Result<(), WarehouseError> {
        if self.access == Access::Write {
            return Ok(());
        }
        let (message, hint) = match read_guard::check(statement) {
            Ok(()) => return Ok(()),
            Err(Refused::Writes) => (
                "the statement would change the warehouse, which is open read-only",
                "queries read; `sparkify etl` writes",
            ),
            Err(Refused::Several) => {
                ("more than one statement was given", "run one statement at a time")
            }
            Err(Refused::Ambiguous) => (
                "the statement has a string or comment that servers read differently",
                "close every quote, and use neither dollar quotes nor comments inside comments",
            ),
        };
        Err(WarehouseError::Statement { message: message.into(), hint: Some(hint.into()) })
    }

    fn classify_error(&self, error: ChannelError, statement: &str) -> WarehouseError {
        match error {
            ChannelError::Server(error) => error::statement(&error, statement),
            ChannelError::Lost(reason) => {
                WarehouseError::Lost { server: self.server.clone(), reason }
            }
            ChannelError::Client(error) => error,
        }
    }

    fn columns_of(&mut self, table: &str) -> Result<Vec<String>, WarehouseError> {
        if !self.columns.contains_key(table) {
            self.columns.clear();
            for column in self.found_columns()? {
                self.columns.entry(column.table).or_default().push(column.name);
            }
        }
        Ok(self.columns.get(table).cloned().unwrap_or_default())
    }

    /// Loads a few rows by INSERT.
    fn load_by_insert(
        &mut self,
        table: &str,
        source: &dyn RowSource,
    ) -> Result<u64, WarehouseError> {
        // Column names are needed only to append to bytes that exceed one statement.
        let has_bytes = source.types().contains(&ColumnType::Bytes);
        let columns = if has_bytes { self.columns_of(table)? } else { Vec::new() };
        let [head, append] = [dialect::INSERT, dialect::APPEND]
            .map(|file| with_table(&split(file.text).concat(), table));
        let max_statement_len = self.channel.max_statement_len();
        let target =
            inserts::Target { head: &head, append: &append, max_statement_len, columns: &columns };
        inserts::insert(&target, source, |statement| self.run(statement).map(drop))
    }

    /// Returns a read-only connection over another channel, for diagnostics.
    fn with_channel(&self, channel: Box<dyn Channel>) -> Self {
        Self {
            channel,
            in_transaction: false,
            access: Access::Read,
            schema: self.schema.clone(),
            server: self.server.clone(),
            staging: None,
            direct_copy: self.direct_copy.clone(),
            slices: self.slices,
            columns: BTreeMap::new(),
            leftovers_removed: true,
            session_id: None,
        }
    }
}

/// Checks that a session can be started over the wire protocol.
pub fn sign_in(server: &Arc<Server>) -> Result<(), WarehouseError> {
    wire::WireChannel::connect(server).map(drop)
}

/// Replaces `":schema"` with the quoted name of the schema.
fn with_schema(sql: &str, schema: &str) -> String {
    sql.replace("\":schema\"", &format!("\"{}\"", schema.replace('"', "\"\"")))
}

impl Warehouse for Redshift {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.check_access(statement)?;
        self.run(statement)
    }

    fn execute_all(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        statements.iter().try_for_each(|statement| self.check_access(statement))?;
        if statements.len() > 1 && !self.in_transaction && self.access == Access::Write {
            return self.run_batch(statements);
        }
        statements.iter().try_for_each(|statement| self.run(statement).map(drop))
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        let statement = literal::bind(statement, parameters)?;
        self.check_access(&statement)?;
        self.send(&statement, sink).map(drop)
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        if source.is_bulk() {
            let written = self.write_rows(table, &source)?;
            return self.copy_rows(&written).map(|()| written.rows);
        }
        self.in_own_transaction(|redshift| redshift.load_by_insert(table, source.as_ref()))
    }

    fn compact(mut self: Box<Self>) -> Result<(), WarehouseError> {
        split(dialect::COMPACT.text).iter().try_for_each(|sql| self.execute(sql).map(drop))
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        let schema = [Value::Text(self.schema.clone())];
        FoundColumn::query(self, &dialect::CATALOG, &schema)
    }

    /// Installs the schema and the UDFs. Redshift has no temporary functions, so they stay in the
    /// schema; read-only connections use them and install none.
    fn install(&mut self, rebuild: bool) -> Result<(), WarehouseError> {
        if !rebuild && self.has_functions()? {
            return Ok(());
        }
        if self.schema != DEFAULT_SCHEMA {
            self.execute_all(&self.with_schema(&dialect::SCHEMA))?;
        }
        self.execute_all(&self.functions())
    }

    fn functions(&self) -> Vec<String> {
        self.with_schema(&dialect::PRELUDE)
    }

    fn interrupter(&self) -> Option<Interrupter> {
        self.channel.interrupter()
    }

    fn load_lock(&mut self) -> Option<&mut dyn LoadLock> {
        Some(self)
    }

    fn remote_copy(&mut self) -> Option<&mut dyn RemoteCopy> {
        Some(self)
    }
}

impl LoadLock for Redshift {
    fn scope(&self) -> LockScope {
        LockScope::Table
    }

    fn reconnection(&mut self) -> Option<&mut dyn Reconnect> {
        Some(self)
    }
}

impl Reconnect for Redshift {
    fn reconnect(&mut self) -> Result<(), WarehouseError> {
        self.channel.reconnect()?;
        self.in_transaction = false;
        self.session_id = None;
        self.begin_session()
    }
}

impl RemoteCopy for Redshift {
    fn naming(&self) -> Naming {
        self.direct_copy.naming()
    }

    fn copy(&mut self, request: &CopyRequest<'_>) -> Result<CopyResult, WarehouseError> {
        self.copy_objects(request)
    }

    fn supports_bulk_insert(&self) -> bool {
        self.staging.is_some()
    }

    fn write(
        &mut self,
        table: &str,
        source: &Arc<dyn RowSource>,
    ) -> Result<WrittenRows, WarehouseError> {
        self.write_rows(table, source)
    }

    fn insert_written(&mut self, written: &WrittenRows) -> Result<(), WarehouseError> {
        self.copy_rows(written)
    }

    fn upload(
        &mut self,
        files: &[(String, &str)],
    ) -> Result<Option<UploadedFiles>, WarehouseError> {
        self.staging.as_ref().map(|staging| upload::upload(staging, files)).transpose()
    }

    fn text_limit(&self, declared_type: &str) -> Option<usize> {
        let declared = declared_type.strip_prefix("varchar")?.trim();
        let length = declared.strip_prefix('(').and_then(|rest| rest.split(')').next());
        Some(length.and_then(|length| length.parse().ok()).unwrap_or(DEFAULT_VARCHAR_BYTES))
    }

    fn probes(&self) -> &'static str {
        PROBES
    }
}
