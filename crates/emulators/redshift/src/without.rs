//! Manners that a test may do without: then the emulator is a cluster that answers otherwise than its documentation, and whoever looks must see it.

/// One manner of Redshift's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// AVG of integers is one.
    IntegerAverages,
    /// Trailing blanks do not count when text is compared for equality.
    TrailingBlanks,
    /// Lengths count bytes, and what is too long is refused.
    ByteLengths,
    /// A backslash escapes in a string.
    Backslashes,
    /// COPY with 'auto' minds the case of keys.
    KeyCase,
}

impl Manner {
    /// What takes it out of a database that has it.
    pub(crate) fn undo(self) -> &'static str {
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
            Self::Backslashes | Self::KeyCase => "",
        }
    }
}
