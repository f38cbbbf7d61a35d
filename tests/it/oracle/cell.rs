//! A value as the text of one cell: the only place that says how.

use md5::{Digest, Md5};
use time::OffsetDateTime;
use time::macros::format_description;

/// What a null looks like.
pub(crate) const NULL: &str = r"\N";

/// A value that may be missing, in the form that `cell` gives it.
pub(crate) fn nullable<T>(value: Option<T>, cell: impl Fn(T) -> String) -> String {
    value.map_or_else(|| NULL.to_owned(), cell)
}

/// Text as it is.
pub(crate) fn text(value: &str) -> String {
    value.to_owned()
}

/// An integer in decimal digits.
pub(crate) fn integer(value: impl Into<i64>) -> String {
    value.into().to_string()
}

/// A double in the shortest form that reads back as the same double: `218.0`, `1e16`.
pub(crate) fn double(value: f64) -> String {
    format!("{value:?}")
}

/// `true` or `false`.
pub(crate) fn boolean(value: bool) -> String {
    value.to_string()
}

/// Milliseconds since 1970 as `YYYY-MM-DD HH:MM:SS.mmm`, UTC.
pub(crate) fn timestamp(ms: i64) -> String {
    let form =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    moment(ms).format(form).expect("a moment can be written")
}

/// Milliseconds since 1970 as a moment in UTC; at most the year 9999.
pub(super) fn moment(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .unwrap_or_else(|_| panic!("ts {ms} is beyond the years that the oracle knows"))
}

/// The md5 of a text as a UUID, lower-case, 8-4-4-4-12.
pub(crate) fn md5_uuid(text: &str) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
