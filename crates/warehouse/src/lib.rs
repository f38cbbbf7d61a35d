//! The `Warehouse` trait that every engine implements, and the types that engines and callers share: SQL files, batches of
//! typed rows, values and results.
//!
//! This crate depends on no engine, table or file format. It never decides which statement runs.

mod batch;
mod remote_copy;
mod sql;
mod value;

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

pub use batch::{BATCH_ROWS, Batch, BatchError, Column, ColumnType, RowList, RowSource, Values};
pub use remote_copy::{
    Compression, CopyObjects, CopyRequest, CopyResult, KeyMapping, Naming, RefusedRecord,
    UploadedFiles,
};
pub use sql::{DeclaredColumn, Opening, SqlFile, split, with_table};
pub use value::{ResultType, Rows, Value};

/// Purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes; creates what does not exist yet.
    Write,
    /// Reads only; a missing warehouse is an error.
    Read,
    /// Reads only, for statements that a user wrote: no access to other files, no extensions, no changed settings.
    Guarded,
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
    /// Reads columns from rows of table, name and type.
    pub fn from_rows(rows: &[Vec<Value>]) -> Vec<Self> {
        let text = |row: &[Value], at: usize| row.get(at).map(Value::to_string).unwrap_or_default();
        let found = |row: &Vec<Value>| Self {
            table: text(row, 0),
            name: text(row, 1),
            data_type: text(row, 2),
        };
        rows.iter().map(found).collect()
    }
}

/// Cancels the statement that is running, from any thread; does nothing when none runs.
pub type Interrupter = Box<dyn Fn() + Send>;

/// One connection to one engine.
///
/// Every engine implements this trait. Capabilities of some engines are separate traits, which a caller requests:
/// [`LoadLock`], [`Statistics`] and [`RemoteCopy`].
pub trait Warehouse {
    /// Returns the engine's name as the conditional comments of `sql/` use it.
    fn engine(&self) -> &'static str;

    /// Runs one statement and returns the number of rows that it changed.
    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError>;

    /// Runs statements one after the other. An engine may send them in one request.
    fn execute_all(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        statements.iter().try_for_each(|statement| self.execute(statement).map(drop))
    }

    /// Runs one statement with `parameters` bound to its `$1`, `$2` …, and streams its rows into `rows`.
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

    /// Installs the objects that an engine needs besides tables: the schema and UDFs. Installs all of them again if
    /// `rebuild`, otherwise the missing ones.
    fn install(&mut self, _rebuild: bool) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// Returns a function that cancels the running statement from another thread, if the engine supports it.
    fn interrupter(&self) -> Option<Interrupter> {
        None
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

    /// Returns the maximum number of bytes spilled to disk at a time since the connection was opened.
    fn bytes_spilled(&self) -> u64 {
        0
    }
}

/// Abilities of an engine that copies objects from S3 itself (Redshift's COPY).
pub trait RemoteCopy {
    /// Returns how objects are named in a COPY.
    fn naming(&self) -> Naming;

    /// Copies objects into a table. Rejected records are returned; all other records are in the table.
    fn copy(&mut self, request: &CopyRequest<'_>) -> Result<CopyResult, WarehouseError>;

    /// True if bulk inserts are available as configured; Redshift needs a staging prefix for them.
    fn supports_bulk_insert(&self) -> bool;

    /// Uploads small files (name and text) to the staging prefix. They are deleted when the returned value is dropped.
    /// Returns none if no such prefix is configured.
    fn upload(&mut self, files: &[(String, &str)])
    -> Result<Option<UploadedFiles>, WarehouseError>;

    /// Returns the maximum length in bytes of text in a column of this declared type; none if it has no limit.
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

/// Why a warehouse did not do what it was asked.
#[derive(Debug, Error)]
pub enum WarehouseError {
    /// There is no such file to read.
    #[error("there is no warehouse at `{}`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The file beside it that may have been meant.
        near: Option<PathBuf>,
    },
    /// The file is there and is not ours to open.
    #[error("cannot open the warehouse `{}`: {reason}", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// Another process has the file.
    #[error("the warehouse `{}` is in use by another process{holder}", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// ` (PID 12)` if the engine says so.
        holder: String,
    },
    /// No connection to the server came about.
    #[error("cannot connect to `{server}`: {reason}")]
    NotConnected {
        /// The server's URL, without a password.
        server: String,
        /// What is wrong.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// The connection to the server ended in the middle of something.
    #[error("the connection to `{server}` was lost: {reason}")]
    Lost {
        /// The server's URL, without a password.
        server: String,
        /// What is known of why.
        reason: String,
    },
    /// The engine is known, and this build does not serve it.
    #[error("this build does not serve `{scheme}` warehouses")]
    Unserved {
        /// The URL's scheme.
        scheme: String,
    },
    /// A table of ours is there with other columns.
    #[error("the table `{table}` exists and is not ours: {difference}")]
    Foreign {
        /// The table.
        table: String,
        /// The first difference.
        difference: String,
    },
    /// A statement failed.
    #[error("{message}")]
    Statement {
        /// What the engine said, without its own prefix.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Others changed what this transaction read; it is undone.
    #[error("others changed the same at the same time: {message}")]
    Conflict {
        /// What the engine said.
        message: String,
    },
    /// Rows in number come by files, and nobody said where these may lie.
    #[error("the rows of a load go to the cluster as files in S3, and no place for them is named")]
    NoStaging,
    /// The cluster reads files as a role, and nobody said which.
    #[error("the cluster reads the files as an IAM role, and none is named")]
    NoRole,
    /// A service that the engine depends on failed: the object store, the Data API, the configuration of either.
    #[error("{message}")]
    Service {
        /// The failure, without secrets.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The place where the warehouse lies is full.
    #[error("no space is left for the warehouse: {message}")]
    Full {
        /// What the engine said.
        message: String,
    },
    /// The taker of the rows gave up.
    #[error("cannot write the answer")]
    Sink(#[source] std::io::Error),
}

impl WarehouseError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { near: Some(near), .. } => {
                Some(format!("did you mean `duckdb:{}`?", near.display()))
            }
            Self::Missing { near: None, .. } => Some(
                "run `sparkify etl` first, or name it with `--warehouse duckdb:FILE`".into(),
            ),
            Self::CannotOpen { hint, .. } | Self::NotConnected { hint, .. } => Some(hint.clone()),
            Self::Lost { .. } => Some(
                "check that the server is up, and run it again: a load is there whole or not at all".into(),
            ),
            Self::Busy { .. } => Some("wait until it is done, or name another file with `--warehouse`".into()),
            Self::Unserved { scheme } if scheme == "postgres" || scheme == "redshift" => {
                Some("build it with `make build`: `make demo` leaves servers out".into())
            }
            Self::Unserved { .. } => Some("use `duckdb:FILE` or `postgres://USER@HOST/DATABASE`".into()),
            Self::Foreign { .. } => {
                Some("name another file with `--warehouse`; a warehouse of another version is rebuilt with `sparkify create-tables`".into())
            }
            Self::Statement { hint, .. } => hint.clone(),
            Self::Conflict { .. } => Some("run it again when the others are done: nothing of this load was published".into()),
            Self::NoStaging => Some(
                "name a prefix that may be written to, `--staging s3://BUCKET/PREFIX`, SPARKIFY_STAGING, or `[S3] STAGING` in `dwh.cfg`; objects that lie in S3 themselves are copied without one".into(),
            ),
            Self::NoRole => Some("name it as `[IAM_ROLE] ARN` in `dwh.cfg`, or in SPARKIFY_IAM_ROLE; it may read there, and the cluster has it".into()),
            Self::Service { hint, .. } => Some(hint.clone()),
            Self::Full { .. } => Some("free some space and run it again: nothing of this load was published".into()),
            Self::Sink(_) => None,
        }
    }
}

/// Opens connections to one configured warehouse, of any engine.
pub trait Connector: Send + Sync {
    /// Opens a connection.
    fn open(&self, access: Access) -> Result<Box<dyn Warehouse>, WarehouseError>;

    /// Tries each step of connecting to a server. Returns no steps for an engine without a direct connection.
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
