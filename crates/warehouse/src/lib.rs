//! The `Warehouse` trait that every engine implements, and the types that engines and callers
//! share: SQL files, batches of typed rows, values and results.
//!
//! This crate depends on no engine, table or file format. It never decides which statement runs.

mod batch;
mod bounds;
mod dialect;
mod remote_copy;
mod sql;
mod value;

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

pub use batch::{BATCH_ROWS, Batch, BatchError, Column, ColumnType, RowList, RowSource, Values};
pub use bounds::{Bounds, Ranges};
pub use remote_copy::{
    Compression, CopyObjects, CopyRequest, CopyResult, KeyMapping, Naming, RefusedRecord,
    UploadedFiles, WrittenRows,
};
pub use sql::fragment;
pub use sql::{DeclaredColumn, JsonKey, Opening, SqlFile, is_text, split, with_table};
pub use value::{ResultType, Rows, Value};

/// Purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes; creates what does not exist yet.
    Write,
    /// Reads only; a missing warehouse is an error. For statements of this program.
    Read,
    /// Reads only, for statements that a user wrote: one query at a time, no access to other
    /// files, no extensions, no changed settings.
    Guarded,
    /// Like [`Access::Guarded`], but queries may read local files where the engine is embedded.
    GuardedWithFiles,
}

impl Access {
    /// True if statements come from a user.
    pub fn is_guarded(self) -> bool {
        matches!(self, Self::Guarded | Self::GuardedWithFiles)
    }
}

/// A column of an existing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundColumn {
    /// Name of the table.
    pub table: String,
    /// Name of the column.
    pub name: String,
    /// Type of the column as the engine writes it, in lower case.
    pub data_type: String,
}

impl FoundColumn {
    /// Runs the catalog query of an engine, whose rows are table, name and type.
    ///
    /// # Errors
    /// If the query fails.
    pub fn query(
        warehouse: &mut dyn Warehouse,
        catalog: &SqlFile,
        parameters: &[Value],
    ) -> Result<Vec<Self>, WarehouseError> {
        let text = |row: &[Value], at: usize| row.get(at).map(Value::to_string).unwrap_or_default();
        let found = |row: &Vec<Value>| Self {
            table: text(row, 0),
            name: text(row, 1),
            data_type: text(row, 2),
        };
        let rows = warehouse.query_file(catalog, parameters, usize::MAX)?.rows;
        Ok(rows.iter().map(found).collect())
    }
}

/// Cancels the statement that is running, from any thread; does nothing when none runs.
pub type Interrupter = Box<dyn Fn() + Send>;

/// One connection to one engine.
///
/// Every engine implements this trait. Capabilities of some engines are separate traits, which a
/// caller requests: [`LoadLock`], [`Statistics`] and [`RemoteCopy`].
pub trait Warehouse {
    /// Returns the engine's name as the conditional comments of `sql/` use it.
    fn engine(&self) -> &'static str;

    /// Runs one statement and returns the number of rows that it changed.
    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError>;

    /// Runs statements one after the other. An engine may send them in one request.
    fn execute_all(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        statements.iter().try_for_each(|statement| self.execute(statement).map(drop))
    }

    /// Runs one statement with `parameters` bound to its `$1`, `$2` …, and streams its rows into
    /// `rows`.
    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        rows: &mut dyn RowSink,
    ) -> Result<(), WarehouseError>;

    /// Appends all rows of `source` to `table` and returns their number.
    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError>;

    /// Returns every column of every table in the schema.
    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError>;

    /// Installs the objects that an engine needs besides tables: the schema and UDFs. Installs all
    /// of them again if `rebuild`, otherwise the missing ones.
    fn install(&mut self, _rebuild: bool) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// Returns the statements that install the UDFs; none where each connection creates them.
    fn functions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns a function that cancels the running statement from another thread, if the engine
    /// supports it.
    fn interrupter(&self) -> Option<Interrupter> {
        None
    }

    /// Lets a connection for reading create temporary tables, which its end drops. Returns false if
    /// it cannot create any.
    fn allow_temporary_tables(&mut self) -> Result<bool, WarehouseError> {
        Ok(false)
    }

    /// Returns the load lock, if other processes may load into the same warehouse at the same time.
    fn load_lock(&mut self) -> Option<&mut dyn LoadLock> {
        None
    }

    /// Returns the engine's statistics, if a load has to maintain or report any.
    fn statistics(&mut self) -> Option<&mut dyn Statistics> {
        None
    }

    /// Returns the ability to copy objects from a store, if the engine reads them itself.
    fn remote_copy(&mut self) -> Option<&mut dyn RemoteCopy> {
        None
    }

    /// Removes deleted rows from the storage, and closes the connection.
    fn compact(self: Box<Self>) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// Runs every statement of a file.
    fn run(&mut self, file: &SqlFile) -> Result<(), WarehouseError> {
        self.execute_all(&file.statements(Opening::full(self.engine())))
    }

    /// Runs one statement with `parameters` bound, and keeps the first `keep` rows of its result.
    fn query(
        &mut self,
        statement: &str,
        parameters: &[Value],
        keep: usize,
    ) -> Result<Rows, WarehouseError> {
        let mut first = FirstRows { rows: Rows::default(), keep };
        self.query_each(statement, parameters, &mut first)?;
        Ok(first.rows)
    }

    /// Runs a file that is one query, like [`Warehouse::query`].
    fn query_file(
        &mut self,
        file: &SqlFile,
        parameters: &[Value],
        keep: usize,
    ) -> Result<Rows, WarehouseError> {
        self.query(&file.statement(Opening::full(self.engine())), parameters, keep)
    }
}

/// Exclusive lock of loads into a warehouse that several processes can reach.
pub trait LoadLock {
    /// Acquires the lock of this session; calls `waiting` once if another load holds it.
    fn acquire(&mut self, _waiting: &mut dyn FnMut()) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// Returns the scope of the lock, which decides when it is taken.
    fn scope(&self) -> LockScope;

    /// Returns the ability to reconnect, if a whole load can be retried after a transient error.
    fn reconnection(&mut self) -> Option<&mut dyn Reconnect> {
        None
    }
}

/// Ability to replace a lost connection.
pub trait Reconnect {
    /// Ends the connection, if it still exists, and opens another one.
    fn reconnect(&mut self) -> Result<(), WarehouseError>;
}

/// Scope of a load lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockScope {
    /// The session: [`LoadLock::acquire`] takes it before the transaction begins.
    Session,
    /// A table: `load/lock.sql` takes it inside the transaction, so the tables must exist before.
    Table,
}

/// Statistics of an engine.
pub trait Statistics {
    /// Updates the planner's statistics of tables that grew within this transaction.
    fn analyze(&mut self) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// Returns the maximum number of bytes spilled to disk at a time since the connection was
    /// opened.
    fn bytes_spilled(&self) -> u64 {
        0
    }
}

/// Abilities of an engine that copies objects from S3 itself (Redshift's COPY).
pub trait RemoteCopy {
    /// Returns how objects are named in a COPY.
    fn naming(&self) -> Naming;

    /// Copies objects into a table. Rejected records are returned; all other records are in the
    /// table.
    fn copy(&mut self, request: &CopyRequest<'_>) -> Result<CopyResult, WarehouseError>;

    /// True if bulk inserts are available as configured; Redshift needs a staging prefix for them.
    fn supports_bulk_insert(&self) -> bool;

    /// Writes all rows of `source` to files, which [`insert_written`](Self::insert_written) inserts.
    /// This needs no transaction, and lasts longer than one.
    fn write(
        &mut self,
        table: &str,
        source: &Arc<dyn RowSource>,
    ) -> Result<WrittenRows, WarehouseError>;

    /// Inserts written rows into their table. The files stay, so that this can be repeated.
    fn insert_written(&mut self, written: &WrittenRows) -> Result<(), WarehouseError>;

    /// Uploads small files (name and text) to the staging prefix. They are deleted when the
    /// returned value is dropped. Returns none if no such prefix is configured.
    fn upload(&mut self, files: &[(String, &str)])
    -> Result<Option<UploadedFiles>, WarehouseError>;

    /// Returns the maximum length in bytes of text in a column of this declared type; none if it
    /// has no limit.
    fn text_limit(&self, declared_type: &str) -> Option<usize>;

    /// Returns the compatibility probes of the engine (`probes.toml`), which `doctor` runs.
    fn probes(&self) -> &'static str;
}

/// Receiver of the rows of a result.
pub trait RowSink {
    /// Receives the types of the columns, once, before their names.
    fn types(&mut self, _types: &[ResultType]) -> Result<(), WarehouseError> {
        Ok(())
    }
    /// Receives the names of the columns, once, before the first row.
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError>;
    /// Receives one row.
    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError>;
}

/// Sink that keeps the first `keep` rows and counts all.
struct FirstRows {
    rows: Rows,
    keep: usize,
}

impl RowSink for FirstRows {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.rows.columns = columns;
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.rows.total += 1;
        if self.rows.rows.len() < self.keep {
            self.rows.rows.push(row);
        }
        Ok(())
    }
}

/// Failure of an operation on a warehouse.
#[derive(Debug, Error)]
pub enum WarehouseError {
    /// The warehouse file does not exist.
    #[error("no warehouse found at `{}`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// A file with a similar name in the same folder.
        near: Option<PathBuf>,
    },
    /// The warehouse file exists and cannot be opened.
    #[error("cannot open the warehouse `{}`: {reason}", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
        /// The next action.
        hint: String,
    },
    /// Another process holds the file lock.
    #[error("the warehouse `{}` is in use by another process{holder}", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// ` (PID 12)` if the engine reports it.
        holder: String,
    },
    /// The connection to the server could not be established.
    #[error("cannot connect to `{server}`: {reason}")]
    NotConnected {
        /// The server's URL, without a password.
        server: String,
        /// The cause.
        reason: String,
        /// The next action.
        hint: String,
    },
    /// The connection to the server was lost during a request.
    #[error("the connection to `{server}` was lost: {reason}")]
    Lost {
        /// The server's URL, without a password.
        server: String,
        /// The cause, as far as it is known.
        reason: String,
    },
    /// The engine is known, but this build does not support it.
    #[error("this build does not support `{scheme}` warehouses")]
    Unserved {
        /// The URL's scheme.
        scheme: String,
    },
    /// A table of sparkify's name exists with other columns.
    #[error("table `{table}` was not created by sparkify: {difference}")]
    Foreign {
        /// The table.
        table: String,
        /// The first difference.
        difference: String,
    },
    /// The tables have a layout that this version of sparkify does not know.
    #[error(
        "the warehouse has layout {layout}, and this version of sparkify knows layouts up to {known}"
    )]
    NewerLayout {
        /// Layout of the warehouse.
        layout: i64,
        /// First version of sparkify that knows this layout.
        version: String,
        /// Newest layout that this version knows.
        known: i64,
    },
    /// A statement of an upgrade failed.
    #[error("cannot upgrade the warehouse from layout {from} to {to}: {step}: {message}")]
    Upgrade {
        /// Layout of the warehouse.
        from: i64,
        /// Layout that it would have.
        to: i64,
        /// Step that failed.
        step: String,
        /// The engine's message.
        message: String,
        /// The next action.
        hint: Option<String>,
    },
    /// A statement failed.
    #[error("{message}")]
    Statement {
        /// The engine's message, without its prefix.
        message: String,
        /// The next action.
        hint: Option<String>,
    },
    /// A concurrent transaction changed data that this transaction read; this one is rolled back.
    #[error("a concurrent transaction changed the same data: {message}")]
    Conflict {
        /// The engine's message.
        message: String,
    },
    /// Bulk inserts need staging files, and no prefix for them is configured.
    #[error("no staging prefix is configured: the cluster loads rows from files in S3")]
    NoStaging,
    /// Reading files from S3 needs an IAM role, and none is configured.
    #[error("no IAM role is configured: the cluster needs one to read files from S3")]
    NoRole,
    /// A service that the engine depends on failed: the object store, the Data API, the
    /// configuration of either.
    #[error("{message}")]
    Service {
        /// The failure, without secrets.
        message: String,
        /// The next action.
        hint: String,
    },
    /// The disk of the warehouse is full.
    #[error("no space left for the warehouse: {message}")]
    Full {
        /// The engine's message.
        message: String,
    },
    /// The receiver of the rows failed.
    #[error("cannot write the result")]
    Sink(#[source] std::io::Error),
}

impl WarehouseError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { near: Some(near), .. } => {
                Some(format!("did you mean `duckdb:{}`?", near.display()))
            }
            Self::Missing { near: None, .. } => Some(
                "run `sparkify etl` first, or name the warehouse with `--warehouse duckdb:FILE`".into(),
            ),
            Self::CannotOpen { hint, .. }
            | Self::NotConnected { hint, .. }
            | Self::Service { hint, .. } => Some(hint.clone()),
            Self::Lost { .. } => Some(
                "check that the server is running, and retry; a load is published completely or not at all".into(),
            ),
            Self::Busy { .. } => Some("retry when the other process has finished, raise `--wait SECONDS`, or name another file with `--warehouse`".into()),
            Self::Unserved { scheme } if scheme == "postgres" || scheme == "redshift" => {
                Some("build with `make build`; `make demo` builds without servers".into())
            }
            Self::Unserved { .. } => Some("use `duckdb:FILE` or `postgres://USER@HOST/DATABASE`".into()),
            Self::Foreign { .. } => {
                Some("name another warehouse with `--warehouse`; if another version of sparkify created the table, run `sparkify upgrade`".into())
            }
            Self::NewerLayout { version, .. } => Some(format!(
                "install sparkify {version} or later; this is {}",
                env!("CARGO_PKG_VERSION")
            )),
            Self::Upgrade { hint, .. } => Some(hint.clone().unwrap_or_else(|| {
                "nothing was changed; run `sparkify upgrade` as the owner of the tables, and `sparkify upgrade --plan` to print the statements".into()
            })),
            Self::Statement { hint, .. } => hint.clone(),
            Self::Conflict { .. } => Some("retry when the other load has finished; this load published nothing".into()),
            Self::NoStaging => Some(
                "pass `--staging s3://BUCKET/PREFIX`, or set SPARKIFY_STAGING or STAGING in [S3] of dwh.cfg; sources in S3, except zip archives, can be copied without one".into(),
            ),
            Self::NoRole => Some("set ARN in [IAM_ROLE] of dwh.cfg, or SPARKIFY_IAM_ROLE, to a role that is attached to the cluster and can read the files".into()),
            Self::Full { .. } => Some("free some space and retry; this load published nothing".into()),
            Self::Sink(_) => None,
        }
    }
}

/// Opens connections to one configured warehouse, of any engine.
pub trait Connector: Send + Sync {
    /// Opens a connection.
    fn open(&self, access: Access) -> Result<Box<dyn Warehouse>, WarehouseError>;

    /// Opens a guarded connection whose interrupter ends every statement at once. An embedded
    /// engine runs in a process of its own, with a `parts`th of the configured memory.
    fn open_isolated(&self, parts: u64) -> Result<Box<dyn Warehouse>, WarehouseError>;

    /// Tries each step of connecting to a server. Returns no steps for an engine without a direct
    /// connection.
    fn try_steps(&self) -> Vec<ConnectionStep>;
}

/// One step of connecting to a server, as `doctor` reports it.
#[derive(Debug)]
pub struct ConnectionStep {
    /// Name of the step: `dns`, `tcp`, `tls` or `login`.
    pub name: &'static str,
    /// Observation or error; none if an earlier step failed.
    pub outcome: Option<Result<String, WarehouseError>>,
}
