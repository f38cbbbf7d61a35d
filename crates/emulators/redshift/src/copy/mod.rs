//! Redshift's COPY from JSON, as the Database Developer Guide describes it. It knows nothing of wires and servers: a statement, the columns of a table and
//! a way to objects go in, rows and errors come out.
//!
//! Pages are named `DG/x`, below `https://docs.aws.amazon.com/redshift/latest/dg/`. What no page says is named where it is decided, and each such decision
//! stands as `assumed` in `tests/copy/cases`, whose results were written from the pages before this was. It shares no code with the program: a misreading
//! of one must not hide in the other.
//!
//! | file | what it reads |
//! | --- | --- |
//! | `statement`, `parse`, `words` | the statement: DG/r_COPY.html |
//! | `source` | which objects: DG/copy-parameters-data-source-s3.html |
//! | `json`, `paths` | records and places in them: DG/copy-parameters-data-format.html |
//! | `convert`, `text`, `numbers`, `times` | values: DG/copy-parameters-data-conversion.html |
//! | `execute` | the load: DG/copy-parameters-data-load.html |
//! | `history` | what the system views tell of it: DG/SYS_LOAD_HISTORY.html, DG/SYS_LOAD_ERROR_DETAIL.html |
//! | `s3` | objects by HTTP, as a role: DG/copy-parameters-authorization.html |

#![allow(clippy::doc_markdown, reason = "pages are named as they are called")]

mod convert;
mod execute;
pub mod history;
mod json;
mod kind;
mod numbers;
mod parse;
mod paths;
pub mod s3;
mod source;
mod statement;
mod text;
mod times;
mod words;

pub use execute::execute;
pub use kind::Kind;
pub use parse::parse;
pub use statement::{Authorization, Compression, Copy, Options, Shape};

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub nullable: bool,
    /// Whether a column that the list leaves out gets something else than NULL: PostgreSQL sees to that.
    pub has_default: bool,
}

/// A statement that is none, or not for here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CopyError {
    /// PostgreSQL's code of the error.
    pub sqlstate: &'static str,
    /// What is said.
    pub message: String,
}

impl CopyError {
    fn syntax(message: impl Into<String>) -> Self {
        Self { sqlstate: "42601", message: message.into() }
    }

    fn feature(message: &str) -> Self {
        Self { sqlstate: "0A000", message: message.to_owned() }
    }

    fn not_played(what: &str) -> Self {
        Self::feature(&format!("{what} is not played by the emulator"))
    }
}

/// Where bytes lie.
pub trait Objects {
    /// The bytes of one object.
    fn get(&self, url: &str) -> Result<Vec<u8>, ObjectError>;
    /// Every object whose URL begins so, and its size, in the order of their keys.
    fn list(&self, url_prefix: &str) -> Result<Vec<(String, u64)>, ObjectError>;
}

/// Why an object cannot be had, in the words of Redshift.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// There is none of this name.
    #[error(
        "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey, '{0}'"
    )]
    NotFound(String),
    /// The store refused, or could not be reached.
    #[error("S3ServiceException:{message},Status {status},Error {code}")]
    #[allow(missing_docs)]
    Refused { status: u16, code: String, message: String },
    /// The role cannot be taken on.
    #[error("User arn:aws:redshift:::dbuser is not authorized to assume IAM Role {0}")]
    NotAuthorized(String),
    /// No such thing.
    #[error("{0}")]
    Invalid(String),
}

/// A load that failed: nothing of it is to be kept but what the views tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// PostgreSQL's code of the error.
    pub sqlstate: &'static str,
    /// What is said.
    pub message: String,
    /// The errors that were met.
    pub errors: Vec<LoadError>,
    /// The files that were read.
    pub files: Vec<Scanned>,
    /// Whether loading had begun: then `pg_last_copy_id()` is this COPY's (DG/PG_LAST_COPY_ID.html).
    pub started: bool,
}

impl Failure {
    fn refused(message: String) -> Self {
        Self { sqlstate: "XX000", message, errors: Vec::new(), files: Vec::new(), started: false }
    }

    fn object(error: &ObjectError) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        Self { sqlstate: error.sqlstate, ..Self::refused(error.message) }
    }
}

/// What a load gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The columns that the rows fill: the list's, or all. The others take their defaults.
    pub columns: Vec<String>,
    /// Values in the order of `columns`, in PostgreSQL's text form; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// The errors that were allowed.
    pub errors: Vec<LoadError>,
    /// The files that were read, in order; one that is listed twice is there twice.
    pub files: Vec<Scanned>,
    /// How many rows there are.
    pub loaded_rows: u64,
    /// How many bytes their values have.
    pub loaded_bytes: u64,
    /// What the server tells with the answer, each an INFO.
    pub notices: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Scanned {
    pub url: String,
    /// As it lies there.
    pub bytes: u64,
}

/// A record that could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct LoadError {
    pub file_name: String,
    /// The last line of the record.
    pub line_number: i64,
    pub column_name: String,
    pub column_type: String,
    pub column_length: String,
    pub position: i64,
    pub error_code: i32,
    pub error_message: String,
    /// What `STL_LOAD_ERRORS` shows; `SYS_LOAD_ERROR_DETAIL` does not.
    pub raw_line: String,
}
