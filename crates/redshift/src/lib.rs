//! Amazon Redshift: the warehouse that is a cluster. Said to it is only what its guide documents; see `sql/dialect/redshift` and docs/redshift-load.md.
//!
//! A statement goes as text through a [`channel`], with its values as literals in place ([`literal`]), and after the gate has found it on its list. Rows come as
//! files through S3 ([`staged`]); what keeps the books comes as literals ([`inserts`]).

mod channel;
mod copy;
mod data_api;
mod decode;
mod failed;
mod fetch;
mod inserts;
mod keep_alive;
mod lanes;
mod lines;
mod literal;
mod message;
mod read_guard;
mod service;
mod shown;
mod staged;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sparkify_config::{DEFAULT_SCHEMA, Server, Settings};
use sparkify_warehouse::{
    Access, ColumnType, CopyRequest, CopyResult, FoundColumn, Interrupter, LoadLock, LockScope,
    Naming, Reconnect, RemoteCopy, RowSink, RowSource, SqlFile, UploadedFiles, Value, Warehouse,
    WarehouseError, split, sql_files, with_table,
};

use channel::{Channel, ChannelError, Nothing};
use fetch::Fetcher;
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
        COPIED_ROWS = "copied_rows",
        COPY_HISTORY = "copy_history",
        LOAD_ERRORS = "load_errors",
        COPY_DIRECT = "copy_direct",
        REJECTED_RECORDS = "rejected_records",
    }
}

/// What its guide says that a cluster answers.
const PROBES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/dialect/redshift/probes.toml"));

/// Slices when nobody says how many there are, as where there is no cluster to ask.
const SLICES: usize = 8;
/// A VARCHAR of which no length is declared holds so many bytes.
const UNDECLARED: usize = 256;

/// One connection.
pub struct Redshift {
    channel: Box<dyn Channel>,
    /// True between `begin` and the end of the transaction. Only writing connections open one.
    in_transaction: bool,
    access: Access,
    schema: String,
    server: String,
    staging: Option<Staging>,
    fetcher: Fetcher,
    slices: usize,
    /// The columns of each table, once they were asked for.
    columns: BTreeMap<String, Vec<String>>,
    swept: bool,
}

impl Redshift {
    /// Connects, and makes what our SQL needs if it may write.
    pub fn open(
        server: &Arc<Server>,
        settings: &Settings,
        access: Access,
    ) -> Result<Self, WarehouseError> {
        let channel: Box<dyn Channel> = match &server.data_api {
            Some(_) => Box::new(data_api::DataApi::begin(server, settings)?),
            None => Box::new(wire::WireChannel::connect(server)?),
        };
        let staging = match access {
            Access::Write => copy::staging(settings)?,
            Access::Read | Access::Guarded => None,
        };
        let mut warehouse = Self {
            channel,
            in_transaction: false,
            access,
            schema: server.schema.clone(),
            server: server.to_string(),
            staging,
            fetcher: match access {
                Access::Write => Fetcher::new(settings)?,
                Access::Read | Access::Guarded => Fetcher::default(),
            },
            slices: settings.staging.slices.unwrap_or(SLICES),
            columns: BTreeMap::new(),
            swept: false,
        };
        warehouse.begin_session()?;
        if warehouse.staging.is_some() && settings.staging.slices.is_none() {
            warehouse.count_slices();
        }
        Ok(warehouse)
    }

    /// Statement by statement: that a setting outlives a transaction of several statements is not said anywhere.
    fn begin_session(&mut self) -> Result<(), WarehouseError> {
        let statements = self.with_schema(&dialect::SESSION);
        statements.iter().try_for_each(|statement| self.tell(statement).map(drop))
    }

    fn with_schema(&self, file: &SqlFile) -> Vec<String> {
        split(&with_schema(file.text, &self.schema))
    }

    /// Whether every function of ours is in the schema.
    fn has_functions(&mut self) -> Result<bool, WarehouseError> {
        let schema = [Value::Text(self.schema.clone())];
        let found = self.query_file(&dialect::FUNCTIONS, &schema, usize::MAX)?;
        let is_there = |name: &str| {
            found.rows.iter().any(|row| row.first().and_then(Value::as_text) == Some(name))
        };
        let prelude = split(dialect::PRELUDE.text);
        let mut names = prelude.iter().filter_map(|statement| {
            statement.strip_prefix("create or replace function ")?.split('(').next()
        });
        Ok(names.all(is_there))
    }

    fn count_slices(&mut self) {
        match self.query_file(&dialect::SLICES, &[], 1) {
            Ok(answer) => {
                let slices = answer.scalar().and_then(Value::as_i64).unwrap_or_default();
                self.slices =
                    usize::try_from(slices).ok().filter(|slices| *slices > 0).unwrap_or(SLICES);
            }
            // Serverless has no slices that anybody may count.
            Err(error) => tracing::debug!("counting slices: {error}"),
        }
    }

    /// Sends a statement that asks for nothing.
    fn tell(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.send(statement, &mut Nothing)
    }

    /// Sends a statement.
    fn send(&mut self, statement: &str, sink: &mut dyn RowSink) -> Result<u64, WarehouseError> {
        if statement.len() > self.channel.longest() {
            return Err(WarehouseError::Statement {
                message: format!(
                    "the statement has {} bytes, which is more than this connection sends",
                    statement.len()
                ),
                hint: Some(format!("the limit is {} bytes", self.channel.longest())),
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
            Err(error) => Err(self.meaning(error, statement)),
        }
    }

    /// Sends statements in one request, as one transaction of their own.
    fn tell_together(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        let started = Instant::now();
        self.channel
            .send_together(statements)
            .map_err(|error| self.meaning(error, &statements.concat()))?;
        for statement in statements {
            tracing::debug!(ms = started.elapsed().as_millis(), "{statement}");
        }
        Ok(())
    }

    /// Checks that a statement of a read-only connection reads.
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

    fn meaning(&self, error: ChannelError, statement: &str) -> WarehouseError {
        match error {
            ChannelError::Said(said) => failed::statement(&said, statement),
            ChannelError::Lost(reason) => {
                WarehouseError::Lost { server: self.server.clone(), reason }
            }
            ChannelError::Ours(error) => error,
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

    /// A few rows: by literals.
    fn load_few(&mut self, table: &str, source: &dyn RowSource) -> Result<u64, WarehouseError> {
        // Only bytes are ever so many that their column must be named.
        let has_bytes = source.types().contains(&ColumnType::Bytes);
        let columns = if has_bytes { self.columns_of(table)? } else { Vec::new() };
        let [head, append] = [dialect::INSERT, dialect::APPEND]
            .map(|file| with_table(&split(file.text).concat(), table));
        let longest = self.channel.longest();
        let target = inserts::Target { head: &head, append: &append, longest, columns: &columns };
        inserts::insert(&target, source, |statement| self.tell(statement).map(drop))
    }

    fn beside(&self, channel: Box<dyn Channel>) -> Self {
        Self {
            channel,
            in_transaction: false,
            access: Access::Read,
            schema: self.schema.clone(),
            server: self.server.clone(),
            staging: None,
            fetcher: self.fetcher.clone(),
            slices: self.slices,
            columns: BTreeMap::new(),
            swept: true,
        }
    }
}

/// Whether a session comes about by the wire.
pub fn sign_in(server: &Arc<Server>) -> Result<(), WarehouseError> {
    wire::WireChannel::connect(server).map(drop)
}

/// Puts the schema's name, quoted, where a file says `":schema"`.
fn with_schema(sql: &str, schema: &str) -> String {
    sql.replace("\":schema\"", &format!("\"{}\"", schema.replace('"', "\"\"")))
}

impl Warehouse for Redshift {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.check_access(statement)?;
        self.tell(statement)
    }

    fn execute_all(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        statements.iter().try_for_each(|statement| self.check_access(statement))?;
        let several = statements.len() > 1 && !self.in_transaction;
        if several && self.channel.takes_together(statements) {
            return self.tell_together(statements);
        }
        statements.iter().try_for_each(|statement| self.tell(statement).map(drop))
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        let statement = literal::filled(statement, parameters)?;
        self.check_access(&statement)?;
        self.send(&statement, sink).map(drop)
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        if source.is_bulk() {
            return self.load_staged(table, &source);
        }
        // Several statements are one load: in a transaction, whoever began it.
        let begun = !self.in_transaction;
        if begun {
            self.tell("begin")?;
        }
        let loaded = self.load_few(table, source.as_ref());
        match (begun, &loaded) {
            (true, Ok(_)) => self.tell("commit").map(drop)?,
            (true, Err(_)) => {
                // The first error is the one to tell.
                let _ = self.tell("rollback");
            }
            (false, _) => {}
        }
        loaded
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        let schema = [Value::Text(self.schema.clone())];
        let found = self.query_file(&dialect::CATALOG, &schema, usize::MAX)?;
        Ok(FoundColumn::from_rows(&found.rows))
    }

    /// Functions stay in the schema: there are no temporary ones, and who reads makes none.
    fn install(&mut self, rebuild: bool) -> Result<(), WarehouseError> {
        if !rebuild && self.has_functions()? {
            return Ok(());
        }
        if self.schema != DEFAULT_SCHEMA {
            self.execute_all(&self.with_schema(&dialect::SCHEMA))?;
        }
        self.execute_all(&self.with_schema(&dialect::PRELUDE))
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
        self.begin_session()
    }
}

impl RemoteCopy for Redshift {
    fn naming(&self) -> Naming {
        self.fetcher.naming()
    }

    fn copy(&mut self, order: &CopyRequest<'_>) -> Result<CopyResult, WarehouseError> {
        self.copy_objects(order)
    }

    fn supports_bulk_insert(&self) -> bool {
        self.staging.is_some()
    }

    fn upload(
        &mut self,
        files: &[(String, &str)],
    ) -> Result<Option<UploadedFiles>, WarehouseError> {
        self.staging.as_ref().map(|staging| shown::put(staging, files)).transpose()
    }

    fn text_limit(&self, declared_type: &str) -> Option<usize> {
        let declared = declared_type.strip_prefix("varchar")?.trim();
        let length = declared.strip_prefix('(').and_then(|rest| rest.split(')').next());
        Some(length.and_then(|length| length.parse().ok()).unwrap_or(UNDECLARED))
    }

    fn probes(&self) -> &'static str {
        PROBES
    }
}
