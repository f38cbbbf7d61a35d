//! Formats values as the text of one cell.

use md5::{Digest, Md5};
use time::OffsetDateTime;
use time::macros::format_description;

/// Text of a null.
pub(crate) const NULL: &str = r"\N";

/// Formats an optional value with `cell`.
pub(crate) fn nullable<T>(value: Option<T>, cell: impl Fn(T) -> String) -> String {
    value.map_or_else(|| NULL.to_owned(), cell)
}

pub(crate) fn text(value: &str) -> String {
    value.to_owned()
}

pub(crate) fn integer(value: impl Into<i64>) -> String {
    value.into().to_string()
}

/// Formats a double in the shortest text that parses to the same double: `218.0`, `1e16`.
pub(crate) fn double(value: f64) -> String {
    format!("{value:?}")
}

pub(crate) fn boolean(value: bool) -> String {
    value.to_string()
}

/// Formats milliseconds since 1970 as `YYYY-MM-DD HH:MM:SS.mmm`, UTC.
pub(crate) fn timestamp(ms: i64) -> String {
    let form =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    moment(ms).format(form).expect("a valid time")
}

/// Converts milliseconds since 1970 to UTC, up to the year 9999.
pub(super) fn moment(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .unwrap_or_else(|_| panic!("ts {ms} is out of range for the oracle"))
}

/// Returns the md5 of a text as a lower-case UUID.
pub(crate) fn md5_uuid(text: &str) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
