//! A COPY statement, as it is meant: where from, into what, by whom and under which options (DG/r_COPY.html).

/// A COPY statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The schema, if the statement names one.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
    /// The column list, if there is one.
    pub columns: Option<Vec<String>>,
    /// `s3://bucket/prefix`, or the manifest.
    pub from: String,
    /// Who reads.
    pub authorization: Authorization,
    /// Everything else.
    pub options: Options,
}

/// Who reads the objects.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// The role that is the cluster's default.
    DefaultRole,
    /// The role of this name, or several that are assumed one after another.
    Role(String),
    /// A key of a user.
    Key {
        /// Its name.
        id: String,
        /// What it signs with.
        secret: String,
        /// Of a temporary one.
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

/// How JSON fills columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// By names, which are lower case.
    Auto,
    /// By names, whatever their case.
    AutoIgnoreCase,
    /// By the paths of this file.
    Paths(String),
    /// The whole document into one SUPER column.
    NoShred,
}

/// What the files are compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Zstd,
}

/// The options that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, clippy::struct_excessive_bools)]
pub struct Options {
    pub shape: Option<Shape>,
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
    pub accept_any_date: bool,
    pub accept_invalid: Option<char>,
    pub date_format: Option<String>,
    pub time_format: Option<String>,
}
