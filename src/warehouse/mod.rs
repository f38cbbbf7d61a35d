//! Where does SQL run? Behind [`Warehouse`], which an engine implements and nobody else knows.
//!
//! This room opens connections, opens the files of `sql/` for its engine, takes rows in bulk and gives answers as [`Rows`]. It knows no table
//! by name and never decides what is run.

mod batch;
mod duckdb;
mod fetch;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redshift")]
mod redshift;
mod shown;
mod sql;
mod value;
mod way;
#[cfg(feature = "postgres")]
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::config::{Settings, WarehouseUrl};

pub use batch::{BATCH_ROWS, Batch, Column, ColumnType, Listed, RowSource, Values};
pub use fetch::{Fetch, Fetched, Named, Naming, Packing, Refused, Shape};
pub use shown::Shown;
pub use sql::{DeclaredColumn, JsonKey, Opening, SqlFile, is_text};
pub use value::{AnswerType, Rows, Value};
pub use way::{Step, way_to};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing; what does not exist yet is made.
    Write,
    /// Reading alone; what does not exist is an error.
    Read,
    /// Reading alone, for statements that anybody wrote: no file but the warehouse's own, no extension, no change of a setting.
    Guarded,
}

/// A column that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundColumn {
    /// The table that has it.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its type, in the engine's words, lower case.
    pub data_type: String,
}

/// Stops a running statement, and does nothing when none runs.
pub type Interrupter = Box<dyn Fn() + Send>;

/// One connection to one engine.
pub trait Warehouse {
    /// The engine's name, as it stands in the conditional comments of `sql/`.
    fn engine(&self) -> &'static str;

    /// Runs one statement and says how many rows it changed.
    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError>;

    /// Runs one statement, with `parameters` bound to its `$1`, `$2` …, and hands out its rows one by one, without holding
    /// more than some of them.
    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        rows: &mut dyn RowSink,
    ) -> Result<(), WarehouseError>;

    /// Appends all rows of `source` to `table` and says how many they were.
    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError>;

    /// Every column of every table in the schema.
    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError>;

    /// Makes this the only connection that loads, where an engine lets several try: calls `waiting` when another one has to be done first.
    fn claim(&mut self, _waiting: &mut dyn FnMut()) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// Makes what an engine needs beside tables and keeps: the schema, functions of ours; all of it `anew`, or what is missing.
    fn equip(&mut self, _anew: bool) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// Has the planner count what many rows have just come into, where an engine does not do so by itself.
    fn survey(&mut self) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// The most bytes that lay on disk at a time because memory did not suffice, since the connection was opened.
    fn spilled(&self) -> u64 {
        0
    }

    /// Whether it takes rows in number as it is set up.
    fn takes_rows_in_number(&self) -> bool {
        true
    }

    /// How objects are named to it, where it fetches objects by itself.
    fn fetches(&self) -> Option<Naming> {
        None
    }

    /// Has it fetch objects into a table. What it refuses is told, and everything else is in the table.
    fn fetch(&mut self, _order: &Fetch<'_>) -> Result<Fetched, WarehouseError> {
        Err(WarehouseError::NoStaging)
    }

    /// Whether tables are made in a transaction of their own before a load's, which begins with a lock on one of them.
    fn makes_tables_apart(&self) -> bool {
        false
    }

    /// The most bytes of a text in a column that is declared so; none where nothing bounds it.
    fn longest_text(&self, _declared_type: &str) -> Option<usize> {
        None
    }

    /// Whether it can be connected to anew, so that a load which a lost connection ended may be tried again.
    fn renews(&self) -> bool {
        false
    }

    /// Ends the connection, if it is still there, and makes another.
    fn renew(&mut self) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// What its documentation says that it answers, to be asked before one relies on it: a list of ours; none where there is none.
    fn probes(&self) -> Option<&'static str> {
        None
    }

    /// Puts files, name and text, where it reads them by itself, until what comes back is dropped; none where no such place is named.
    fn show(&mut self, _files: &[(String, &str)]) -> Result<Option<Shown>, WarehouseError> {
        Ok(None)
    }

    /// What stops the statement that is running, from another thread; none where the engine cannot.
    fn interrupter(&self) -> Option<Interrupter> {
        None
    }

    /// The files of `sql/` opened for this engine.
    fn opening(&self, incremental: bool) -> Opening {
        Opening { engine: self.engine(), incremental }
    }

    /// Runs every statement of a file.
    fn run(&mut self, file: &SqlFile) -> Result<(), WarehouseError> {
        self.run_all(&file.statements(self.opening(false)))
    }

    /// Runs statements one after the other.
    fn run_all(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        statements.iter().try_for_each(|statement| self.execute(statement).map(drop))
    }

    /// Runs one statement and keeps the first `keep` rows of its answer.
    fn query(&mut self, statement: &str, keep: usize) -> Result<Rows, WarehouseError> {
        self.query_with(statement, &[], keep)
    }

    /// The same with `parameters` bound to its `$1`, `$2` ….
    fn query_with(
        &mut self,
        statement: &str,
        parameters: &[Value],
        keep: usize,
    ) -> Result<Rows, WarehouseError> {
        let mut kept = Keep { rows: Rows::default(), keep };
        self.query_each(statement, parameters, &mut kept)?;
        Ok(kept.rows)
    }

    /// Runs a file that is one query.
    fn ask(&mut self, file: &SqlFile, keep: usize) -> Result<Rows, WarehouseError> {
        self.ask_with(file, &[], keep)
    }

    /// The same with `parameters` bound to its `$1`, `$2` ….
    fn ask_with(
        &mut self,
        file: &SqlFile,
        parameters: &[Value],
        keep: usize,
    ) -> Result<Rows, WarehouseError> {
        self.query_with(&file.statement(self.opening(false)), parameters, keep)
    }
}

/// Takes the rows of an answer as they come.
pub trait RowSink {
    /// The types of the columns, once, before their names; for who needs them.
    fn types(&mut self, _types: &[AnswerType]) -> Result<(), WarehouseError> {
        Ok(())
    }
    /// The names of the columns, once, before the first row.
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError>;
    /// One row.
    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError>;
}

struct Keep {
    rows: Rows,
    keep: usize,
}

impl RowSink for Keep {
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

/// Connects to the warehouse of `settings`.
pub fn open(settings: &Settings, access: Access) -> Result<Box<dyn Warehouse>, WarehouseError> {
    match &settings.warehouse {
        WarehouseUrl::DuckDb(path) => {
            let limits = duckdb::Limits { memory: settings.memory, threads: settings.threads };
            Ok(Box::new(duckdb::DuckDb::open(path, access, limits)?))
        }
        #[cfg(feature = "postgres")]
        WarehouseUrl::Postgres(server) => {
            let limits = postgres::Limits { memory: settings.memory, threads: settings.threads };
            Ok(Box::new(postgres::Postgres::open(server, access, limits)?))
        }
        #[cfg(feature = "redshift")]
        WarehouseUrl::Redshift(server) => {
            let server = Arc::new(server.as_ref().clone());
            Ok(Box::new(redshift::Redshift::open(&server, settings, access)?))
        }
        other => Err(unserved(other)),
    }
}

/// The name of the engine that serves `url`, as it stands in conditional comments.
pub fn engine_of(url: &WarehouseUrl) -> Result<&'static str, WarehouseError> {
    match url {
        WarehouseUrl::DuckDb(_) => Ok(duckdb::ENGINE),
        #[cfg(feature = "postgres")]
        WarehouseUrl::Postgres(_) => Ok(postgres::ENGINE),
        #[cfg(feature = "redshift")]
        WarehouseUrl::Redshift(_) => Ok(redshift::ENGINE),
        other => Err(unserved(other)),
    }
}

/// The SQL that only the engine of `url` gets.
pub fn dialect_of(url: &WarehouseUrl) -> Result<&'static [SqlFile], WarehouseError> {
    match url {
        WarehouseUrl::DuckDb(_) => Ok(duckdb::DIALECT),
        #[cfg(feature = "postgres")]
        WarehouseUrl::Postgres(_) => Ok(postgres::DIALECT),
        #[cfg(feature = "redshift")]
        WarehouseUrl::Redshift(_) => Ok(redshift::DIALECT),
        other => Err(unserved(other)),
    }
}

/// Whether the engine of `url` fetches objects by itself.
pub fn fetches(url: &WarehouseUrl) -> bool {
    matches!(url, WarehouseUrl::Redshift(_))
}

fn unserved(url: &WarehouseUrl) -> WarehouseError {
    let scheme = url.scheme().to_owned();
    WarehouseError::Unserved { scheme }
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
    /// Amazon, or who emulates it, failed.
    #[cfg(feature = "s3")]
    #[error(transparent)]
    Aws(#[from] crate::aws::AwsError),
    /// What was said about Amazon makes no sense.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
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
            #[cfg(feature = "s3")]
            Self::Aws(error) => Some(error.hint.clone()),
            Self::Config(error) => Some(error.hint()),
            Self::Full { .. } => Some("free some space and run it again: nothing of this load was published".into()),
            Self::Sink(_) => None,
        }
    }
}
