//! Why a load was not published, and what a person can do about it.

use thiserror::Error;

use crate::quality::Verdict;
use crate::staging::{DirectError, StageError};
use sparkify_reader::{ReadError, Sample};
use sparkify_source::SourceError;
use sparkify_warehouse::WarehouseError;

/// Why a load was not published.
#[derive(Debug, Error)]
pub enum EtlError {
    /// Neither songs nor events were named.
    #[error("neither song data nor log data was named")]
    NoSource,
    /// The same object as songs and as events.
    #[error("`{key}` lies in the song data and in the log data")]
    Overlap {
        /// The object.
        key: String,
    },
    /// A location that holds nothing would take all of its rows with it.
    #[error(
        "nothing lies at `{location}` any more, and pruning would remove all rows that came from there"
    )]
    PruneAll {
        /// The location.
        location: String,
    },
    /// The objects could not be listed or read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A thread that reads objects panicked.
    #[error(transparent)]
    Reader(ReadError),
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The warehouse failed each time.
    #[error("the load was tried {tries} times, and ended each time")]
    GaveUp {
        /// How often.
        tries: u32,
        /// The last time.
        source: WarehouseError,
    },
    /// The connection was lost at the commit, and nobody can be asked what came of it.
    #[error(
        "the connection was lost while load {load_id} was published: whether it is there is not known"
    )]
    Doubt {
        /// The load.
        load_id: i64,
    },
    /// The warehouse could not fetch the objects itself.
    #[error(transparent)]
    Direct(#[from] DirectError),
    /// The rejects could not be kept.
    #[error("cannot keep the rejects in a temporary file")]
    Spool(#[source] std::io::Error),
    /// More records were refused than allowed.
    #[error("{rejected} records ({:.2} %) cannot be used, and at most {:.2} % may be", share * 100.0, limit * 100.0)]
    TooManyRejects {
        /// Records refused.
        rejected: u64,
        /// Their share of all records.
        share: f64,
        /// The share that is allowed.
        limit: f64,
        /// The first few.
        samples: Vec<Sample>,
    },
    /// The tables that this load would publish break a check.
    #[error("{} of the checks failed", failed.len())]
    ChecksFailed {
        /// The checks that failed.
        failed: Vec<Verdict>,
    },
}

impl From<StageError> for EtlError {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Read(ReadError::Source(error)) => Self::Source(error),
            StageError::Warehouse(error) => Self::Warehouse(error),
            StageError::Direct(error) => Self::Direct(error),
            StageError::Read(ReadError::Spool(error)) => Self::Spool(error),
            StageError::Read(error @ ReadError::Panicked(_)) => Self::Reader(error),
        }
    }
}

impl EtlError {
    /// Whether the data is at fault, and not the tool or its surroundings.
    pub fn is_about_data(&self) -> bool {
        matches!(self, Self::TooManyRejects { .. } | Self::ChecksFailed { .. })
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSource => Some(
                "give `--song-data DIR` and `--log-data DIR`, or `[S3] SONG_DATA` and `LOG_DATA` in `dwh.cfg`".into(),
            ),
            Self::PruneAll { .. } => {
                Some("check the location; if it is meant, run `sparkify create-tables` and load again".into())
            }
            Self::Overlap { .. } => Some("name folders that do not contain each other".into()),
            Self::Source(error) => Some(error.hint()),
            Self::Reader(_) => Some("report a bug; this load published nothing".into()),
            Self::Warehouse(error) | Self::GaveUp { source: error, .. } => error.hint(),
            Self::Doubt { .. } => Some(
                "run it again when the warehouse answers: what is loaded is not loaded twice".into(),
            ),
            Self::Direct(error) => Some(error.hint()),
            Self::Spool(_) => Some("check the space in the folder of temporary files, TMPDIR".into()),
            Self::TooManyRejects { .. } => Some(
                "mend the records, or allow more with `--max-reject-share`; nothing of this load was published".into(),
            ),
            Self::ChecksFailed { .. } => Some("nothing of this load was published".into()),
        }
    }
}
