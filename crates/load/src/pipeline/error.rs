//! Errors of a load, with hints.

use thiserror::Error;

use super::TooManyRejects;
use crate::data_tests::TestResult;
use crate::erase::{self, EraseError, KeyError};
use crate::ledger::Relocation;
use crate::staging::{DirectError, StageError};
use sparkify_reader::{ReadError, RecordKind};
use sparkify_source::SourceError;
use sparkify_warehouse::WarehouseError;

/// Failure of a load; nothing was published, except possibly after [`EtlError::Doubt`].
#[derive(Debug, Error)]
pub enum EtlError {
    /// Neither song data nor log data is configured.
    #[error("no input: neither song data nor log data is configured")]
    NoSource,
    /// An object is listed both as song data and as log data.
    #[error("`{key}` is in both the song data and the log data")]
    Overlap {
        /// The object.
        key: String,
    },
    /// Another load was published between the extraction and the transaction of this one.
    #[error("another load was published while the objects were read")]
    Overtaken,
    /// A location has no objects.
    #[error("no files found in `{location}`")]
    Empty {
        /// The location.
        location: String,
    },
    /// A location has no objects left, and pruning would delete all rows loaded from it.
    #[error("no files found in `{location}`: `--prune` would delete all rows loaded from it")]
    PruneAll {
        /// The location.
        location: String,
    },
    /// A location holds the records of the other one.
    #[error(
        "the {} data `{location}` holds {}, in `{object}` for example",
        location_name(*kind), other_records(*kind)
    )]
    Swapped {
        /// Kind of records that the location is configured for.
        kind: RecordKind,
        /// The location.
        location: String,
        /// Key of an object.
        object: String,
    },
    /// A location holds the records of another log format.
    #[error("the log data `{location}` has the log format `{format}`, in `{object}` for example")]
    OtherFormat {
        /// The location.
        location: String,
        /// Key of an object.
        object: String,
        /// Name of the format.
        format: String,
    },
    /// The user cancelled the load.
    #[error("the load was cancelled: nothing was published")]
    Cancelled,
    /// The objects could not be listed or read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A thread that reads objects panicked.
    #[error(transparent)]
    Reader(ReadError),
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// Each attempt failed with a transient error.
    #[error("the load failed after {tries} attempts")]
    GaveUp {
        /// Number of attempts.
        tries: u32,
        /// Error of the last attempt.
        source: WarehouseError,
    },
    /// The connection was lost during the commit, and the outcome cannot be queried.
    #[error(
        "the connection was lost during the commit of load {load_id}: it may or may not be published"
    )]
    Doubt {
        /// The load.
        load_id: i64,
    },
    /// The direct COPY failed.
    #[error(transparent)]
    Direct(#[from] DirectError),
    /// The erasure key does not fit the warehouse.
    #[error(transparent)]
    ErasureKey(#[from] KeyError),
    /// Rejected records could not be written to a temporary file.
    #[error("cannot write rejected records to a temporary file")]
    Spool(#[source] std::io::Error),
    /// More records or bytes were rejected than `--max-reject-share` allows.
    #[error("{0}")]
    TooManyRejects(Box<TooManyRejects>),
    /// No loaded object was moved as a relocation says.
    #[error("nothing to relocate from `{}` to `{}`", relocation.old, relocation.new)]
    NothingToRelocate {
        /// The relocation.
        relocation: Relocation,
    },
    /// Data tests failed on the tables that this load would publish.
    #[error("data tests failed: {}", failed.len())]
    ChecksFailed {
        /// Results of the failed tests.
        failed: Vec<TestResult>,
    },
}

fn location_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Songs => "song",
        RecordKind::Events => "log",
    }
}

fn other_records(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Songs => "events",
        RecordKind::Events => "songs",
    }
}

impl From<EraseError> for EtlError {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Key(error) => Self::ErasureKey(error),
            EraseError::Warehouse(error) => Self::Warehouse(error),
            EraseError::ChecksFailed { failed } => Self::ChecksFailed { failed },
        }
    }
}

impl From<StageError> for EtlError {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Read(ReadError::Source(error)) => Self::Source(error),
            StageError::Warehouse(error) => Self::Warehouse(error),
            StageError::Direct(error) => Self::Direct(error),
            StageError::Read(ReadError::Spool(error)) => Self::Spool(error),
            StageError::Read(ReadError::Cancelled) => Self::Cancelled,
            StageError::Read(
                error @ (ReadError::Panicked(_)
                | ReadError::OtherKind { .. }
                | ReadError::OtherFormat { .. }),
            ) => Self::Reader(error),
        }
    }
}

impl EtlError {
    /// Returns true if the input is the cause, and not the program or its environment.
    pub fn is_about_data(&self) -> bool {
        matches!(self, Self::TooManyRejects(_) | Self::ChecksFailed { .. })
    }

    /// Returns the next action for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSource => Some(
                "pass `--song-data DIR` and `--log-data DIR`, or set SONG_DATA and LOG_DATA in [S3] of dwh.cfg".into(),
            ),
            Self::Empty { .. } => Some(
                "check the location: names that begin with `.` or `_` are skipped; pass `--allow-empty` if it may be empty".into(),
            ),
            Self::PruneAll { .. } => {
                Some("check the location; to delete all rows, run `sparkify create-tables` and load again".into())
            }
            Self::Overlap { .. } => Some("use folders that do not contain each other".into()),
            Self::Source(error) => Some(error.hint()),
            Self::Swapped { .. } => Some(
                "check that `--song-data` and `--log-data` (SONG_DATA and LOG_DATA in [S3] of dwh.cfg) are not swapped; nothing was loaded".into(),
            ),
            Self::OtherFormat { format, .. } => Some(format!(
                "pass `--log-format {format}`, or set LOG_FORMAT in [S3] of dwh.cfg; nothing was loaded"
            )),
            Self::Overtaken => Some("run the command again".into()),
            Self::Cancelled => Some("run the command again to load the same files".into()),
            Self::Reader(_) => Some("report a bug; this load published nothing".into()),
            Self::Warehouse(error) | Self::GaveUp { source: error, .. } => error.hint(),
            Self::Doubt { .. } => Some(
                "retry when the warehouse is reachable; loads are idempotent".into(),
            ),
            Self::Direct(error) => Some(error.hint()),
            Self::ErasureKey(_) => Some(erase::KEY_HINT.into()),
            Self::Spool(_) => Some("check the free space of the temporary folder (TMPDIR)".into()),
            Self::NothingToRelocate { .. } => Some(
                "name the location in `sparkify trace` or in `etl_objects` as OLD; NEW must be within `--song-data` or `--log-data`".into(),
            ),
            Self::TooManyRejects(_) => Some(
                "fix the records, or raise `--max-reject-share`; this load published nothing".into(),
            ),
            Self::ChecksFailed { .. } => {
                Some("fix the data and load again; this load published nothing".into())
            }
        }
    }
}
