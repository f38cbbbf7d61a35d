//! Redshift behaviors that a test can switch off.
//!
//! The emulator then deviates from the documentation, and the compatibility probes must detect it.

/// Redshift behavior that differs from PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// AVG of integers returns an integer.
    IntegerAverages,
    /// Trailing blanks are ignored when text is compared for equality.
    TrailingBlanks,
    /// VARCHAR lengths count bytes, and a longer value is rejected.
    ByteLengths,
    /// A backslash escapes the next character in a string literal.
    BackslashEscapes,
    /// COPY with `'auto'` matches keys case-sensitively.
    CaseSensitiveKeys,
    /// COPY refuses `2.5` from JSON for a column of integers. Otherwise it cuts the fraction. The
    /// guide says neither.
    RefusesFractions,
    /// SYS views number a COPY as `pg_last_copy_id()` and STL tables do. The guide says both.
    SharedQueryIds,
    /// SYS views name a session by its `pg_backend_pid()`.
    SessionsAreProcesses,
}

impl Behavior {
    /// Returns the SQL that removes the behavior from a database set up with `semantics.sql`.
    ///
    /// The text is empty for a behavior that the proxy implements.
    pub(crate) fn disable_sql(self) -> &'static str {
        match self {
            Self::IntegerAverages => {
                "drop aggregate avg(integer); \
                 update pg_proc set proname = 'avg' where oid = 'rs_pg_avg(integer)'::regprocedure"
            }
            Self::TrailingBlanks => {
                "update pg_operator set oprcode = 'texteq'::regproc \
                 where oprleft = 'text'::regtype and oprright = 'text'::regtype and oprname = '='"
            }
            Self::ByteLengths => {
                "create or replace function rs_varchar(value varchar, modifier integer, is_cast boolean) returns varchar language sql immutable strict as 'select $1'; \
                 create or replace function rs_too_long(type text, length integer) returns boolean language sql volatile as 'select true'"
            }
            Self::BackslashEscapes
            | Self::CaseSensitiveKeys
            | Self::RefusesFractions
            | Self::SharedQueryIds
            | Self::SessionsAreProcesses => "",
        }
    }
}
