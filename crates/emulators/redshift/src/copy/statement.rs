//! Parsed COPY statement (DG/r_COPY.html).

/// COPY statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyStatement {
    /// Schema of a qualified table name.
    pub schema: Option<String>,
    /// Unqualified table name.
    pub table: String,
    /// Column list, if given.
    pub columns: Option<Vec<String>>,
    /// URL of a prefix (`s3://bucket/prefix`) or of a manifest.
    pub from: String,
    /// Credentials for S3.
    pub authorization: Authorization,
    /// Format, conversion and load options.
    pub options: CopyOptions,
}

/// Credentials that read the objects.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// Default role of the cluster.
    DefaultRole,
    /// ARN of a role, or a comma-separated chain of roles to assume.
    Role(String),
    /// Access key of a user.
    Key {
        /// Access key ID.
        id: String,
        /// Secret access key.
        secret: String,
        /// Session token of temporary credentials.
        token: Option<String>,
    },
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DefaultRole => formatter.write_str("DefaultRole"),
            Self::Role(name) => write!(formatter, "Role({name})"),
            Self::Key { id, .. } => write!(formatter, "Key({id}, ****)"),
        }
    }
}

/// Mapping of JSON records to columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFormat {
    /// `'auto'`: keys match column names, which are lower case.
    Auto,
    /// `'auto ignorecase'`: keys match column names in any case.
    AutoIgnoreCase,
    /// JSONPaths file with this URL.
    Paths(String),
    /// `'noshred'`: the whole document goes into one SUPER column.
    NoShred,
}

/// Compression of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Zstd,
}

/// Options that affect the load.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, clippy::struct_excessive_bools)]
pub struct CopyOptions {
    pub json: Option<JsonFormat>,
    /// Reads Parquet files instead of JSON.
    pub parquet: bool,
    pub manifest: bool,
    pub region: Option<String>,
    pub compression: Compression,
    pub max_error: u64,
    pub ignore_all_errors: bool,
    pub no_load: bool,
    pub ignore_header: u64,
    pub empty_as_null: bool,
    pub blanks_as_null: bool,
    pub trim_blanks: bool,
    pub truncate_columns: bool,
    pub round_decimals: bool,
    /// Cuts fractions of JSON numbers for columns of integers, instead of refusing them.
    pub cuts_fractions: bool,
    pub accept_any_date: bool,
    pub accept_invalid: Option<char>,
    pub date_format: Option<String>,
    pub time_format: Option<String>,
}
