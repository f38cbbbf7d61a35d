//! COPY engine for JSON, written from the Amazon Redshift Database Developer Guide.
//!
//! Input: a COPY statement, the columns of a table and an [`ObjectReader`]. Output: rows and load
//! errors. The engine is independent of the wire protocol and of PostgreSQL. It shares no code with
//! `sparkify`, so that a misreading of the guide in one is found by the other.
//!
//! `DG/x` cites a page below `https://docs.aws.amazon.com/redshift/latest/dg/`. Behavior that no
//! page documents is noted in the code, and in the test cases of `tests/copy/cases` as `assumed`.
//! The expected results of the cases were written from the pages, before the engine.
//!
//! | module | content | page |
//! | --- | --- | --- |
//! | `statement`, `parse`, `tokens` | statement | DG/r_COPY.html |
//! | `source` | selection of objects | DG/copy-parameters-data-source-s3.html |
//! | `json`, `paths` | records, JSONPaths | DG/copy-parameters-data-format.html |
//! | `convert`, `text`, `numbers`, `times` | values | DG/copy-parameters-data-conversion.html |
//! | `execute` | load | DG/copy-parameters-data-load.html |
//! | `history` | system views | DG/SYS_LOAD_HISTORY.html, DG/SYS_LOAD_ERROR_DETAIL.html |
//! | `s3` | S3 requests with the permissions of a role | DG/copy-parameters-authorization.html |

#![allow(clippy::doc_markdown, reason = "pages are cited by their URL names")]

mod column_type;
mod convert;
mod execute;
pub mod history;
mod json;
mod numbers;
mod parse;
mod paths;
pub mod s3;
mod source;
mod statement;
mod text;
mod times;
mod tokens;

pub use column_type::ColumnType;
pub use execute::execute;
pub use parse::parse;
pub use statement::{Authorization, Compression, CopyOptions, CopyStatement, JsonFormat};

/// Column of the target table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Column {
    pub name: String,
    pub column_type: ColumnType,
    pub nullable: bool,
    /// True if PostgreSQL fills the column with a default when the column list omits it.
    pub has_default: bool,
}

/// Error of a COPY statement that is invalid or not supported by the emulator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CopyError {
    /// SQLSTATE of the error.
    pub sqlstate: &'static str,
    /// Error message.
    pub message: String,
}

impl CopyError {
    fn syntax(message: impl Into<String>) -> Self {
        Self { sqlstate: "42601", message: message.into() }
    }

    /// Creates an error with Redshift's SQLSTATE for unsupported features.
    fn feature(message: &str) -> Self {
        Self { sqlstate: "0A000", message: message.to_owned() }
    }

    /// Creates an error for syntax that Redshift supports and the emulator does not.
    fn not_supported(syntax: &str) -> Self {
        Self::feature(&format!("{syntax} is not supported by the emulator"))
    }
}

/// Access to objects by URL.
pub trait ObjectReader {
    /// Returns the bytes of an object.
    fn get(&self, url: &str) -> Result<Vec<u8>, ObjectError>;
    /// Lists URL and size of all objects with this URL prefix in key order.
    fn list(&self, url_prefix: &str) -> Result<Vec<(String, u64)>, ObjectError>;

    /// Reads the rows of a Parquet file as text, in the order of its columns.
    fn parquet(&self, _content: &[u8]) -> Result<Vec<Vec<Option<String>>>, String> {
        Err("Parquet is not supported by the emulator without a reader of it".to_owned())
    }
}

/// Error of an object request in Redshift's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The object does not exist.
    #[error(
        "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey, '{0}'"
    )]
    NotFound(String),
    /// The store returned an error.
    #[error("S3ServiceException:{message},Status {status},Error {code}")]
    #[allow(missing_docs)]
    Refused { status: u16, code: String, message: String },
    /// The cluster may not assume the role.
    #[error("User arn:aws:redshift:::dbuser is not authorized to assume IAM Role {0}")]
    NotAuthorized(String),
    /// Any other failure, such as a lost connection or an invalid URL.
    #[error("{0}")]
    Invalid(String),
}

/// Failed load, which inserts no rows; the load views show its errors and files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LoadFailure {
    /// SQLSTATE of the error.
    pub sqlstate: &'static str,
    /// Error message.
    pub message: String,
    /// Records that could not be loaded.
    pub errors: Vec<LoadError>,
    /// Files read before the failure.
    pub files: Vec<ScannedFile>,
    /// True if loading had begun, so that `pg_last_copy_id()` returns this COPY
    /// (DG/PG_LAST_COPY_ID.html).
    pub started: bool,
}

impl LoadFailure {
    /// Creates a failure before loading began, with Redshift's SQLSTATE for internal errors.
    fn new(message: String) -> Self {
        Self { sqlstate: "XX000", message, errors: Vec::new(), files: Vec::new(), started: false }
    }

    fn object(error: &ObjectError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<CopyError> for LoadFailure {
    fn from(error: CopyError) -> Self {
        Self { sqlstate: error.sqlstate, ..Self::new(error.message) }
    }
}

/// Rows and errors of a successful load.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Columns of the rows: the column list, or all columns. Other columns get their defaults.
    pub columns: Vec<String>,
    /// Values in the order of `columns` in PostgreSQL's text format; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// Records that could not be loaded, within MAXERROR.
    pub errors: Vec<LoadError>,
    /// Files in the order read; a file that the manifest lists twice occurs twice.
    pub files: Vec<ScannedFile>,
    /// Number of rows.
    pub loaded_rows: u64,
    /// Size of all values in bytes.
    pub loaded_bytes: u64,
    /// Notices of severity INFO for the client.
    pub notices: Vec<String>,
}

/// File that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ScannedFile {
    pub url: String,
    /// Size of the stored object, compressed if it is.
    pub bytes: u64,
}

/// Record that could not be loaded, with the columns of `SYS_LOAD_ERROR_DETAIL`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct LoadError {
    pub file_name: String,
    /// Number of the record's last line.
    pub line_number: i64,
    pub column_name: String,
    pub column_type: String,
    pub column_length: String,
    pub position: i64,
    pub error_code: i32,
    pub error_message: String,
    /// Text of the record; only `STL_LOAD_ERRORS` has this column.
    pub raw_line: String,
}
