//! The options of COPY, with the form of their values and what they do not go with.

use crate::rules::{Rule, RuleKind, dg};

const FORMAT: &str = dg!("copy-parameters-data-format");
const CONVERSION: &str = dg!("copy-parameters-data-conversion");
const LOAD: &str = dg!("copy-parameters-data-load");
const COMPRESSION: &str = dg!("copy-parameters-file-compression");
const S3: &str = dg!("copy-parameters-data-source-s3");
const AUTHORIZATION: &str = dg!("copy-parameters-authorization");

/// The form of an option's value. AS may stand before every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// None.
    Nothing,
    /// A string.
    Text,
    /// One character, as a string.
    Character,
    /// A character, or nothing.
    MaybeCharacter,
    /// A whole number within bounds.
    Number(u64, u64),
    /// ON, OFF, TRUE, FALSE or nothing.
    Switch,
    /// The same, or PRESET.
    Preset,
    /// A name of an encoding.
    Encoding,
    /// `'auto'` or a pattern.
    Dates,
    /// The same, or the two epochs, in these very letters.
    Times,
    /// A region.
    Region,
    /// Read by the grammar.
    Own,
}

/// An option of COPY.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopyOption {
    pub name: &'static str,
    pub value: Value,
    /// Whether Parquet and ORC take it.
    pub columnar: bool,
    /// Formats that do not take it.
    pub not_with: &'static [&'static str],
    pub page: &'static str,
}

const fn option(name: &'static str, value: Value, page: &'static str) -> CopyOption {
    CopyOption { name, value, columnar: false, not_with: &[], page }
}

const fn columnar(name: &'static str, value: Value, page: &'static str) -> CopyOption {
    CopyOption { columnar: true, ..option(name, value, page) }
}

const fn not_with(formats: &'static [&'static str], option: CopyOption) -> CopyOption {
    CopyOption { not_with: formats, ..option }
}

const JSON: &[&str] = &["json", "avro"];

/// Every option, by its first words.
pub(crate) const OPTIONS: &[CopyOption] = &[
    columnar("iam_role", Value::Own, AUTHORIZATION),
    columnar("credentials", Value::Own, AUTHORIZATION),
    columnar("manifest", Value::Nothing, S3),
    columnar("format", Value::Own, FORMAT),
    option("region", Value::Region, S3),
    not_with(&["json", "avro", "fixedwidth"], option("delimiter", Value::Character, FORMAT)),
    option("gzip", Value::Nothing, COMPRESSION),
    option("bzip2", Value::Nothing, COMPRESSION),
    option("lzop", Value::Nothing, COMPRESSION),
    option("zstd", Value::Nothing, COMPRESSION),
    option("acceptanydate", Value::Nothing, CONVERSION),
    columnar("acceptinvchars", Value::MaybeCharacter, CONVERSION),
    option("blanksasnull", Value::Nothing, CONVERSION),
    option("dateformat", Value::Dates, CONVERSION),
    option("emptyasnull", Value::Nothing, CONVERSION),
    option("encoding", Value::Encoding, CONVERSION),
    not_with(&["json", "avro", "csv", "fixedwidth"], option("escape", Value::Nothing, CONVERSION)),
    columnar("explicit_ids", Value::Nothing, CONVERSION),
    not_with(JSON, columnar("fillrecord", Value::Nothing, CONVERSION)),
    not_with(JSON, option("ignoreblanklines", Value::Nothing, CONVERSION)),
    option("ignoreheader", Value::Number(0, i32::MAX as u64), CONVERSION),
    not_with(JSON, option("null", Value::Text, CONVERSION)),
    not_with(
        &["json", "avro", "csv", "fixedwidth"],
        option("removequotes", Value::Nothing, CONVERSION),
    ),
    option("roundec", Value::Nothing, CONVERSION),
    option("timeformat", Value::Times, CONVERSION),
    option("trimblanks", Value::Nothing, CONVERSION),
    option("truncatecolumns", Value::Nothing, CONVERSION),
    option("comprows", Value::Number(1, i32::MAX as u64), LOAD),
    option("compupdate", Value::Preset, LOAD),
    option("ignoreallerrors", Value::Nothing, LOAD),
    option("maxerror", Value::Number(0, 100_000), LOAD),
    option("noload", Value::Nothing, LOAD),
    columnar("statupdate", Value::Switch, LOAD),
];

/// Options that no COPY has twice over: one of each group.
pub(crate) const EXCLUSIVE: &[&[&str]] = &[
    &["gzip", "bzip2", "lzop", "zstd"],
    &["maxerror", "ignoreallerrors"],
    &["iam_role", "credentials"],
    &["removequotes", "quote"],
];

/// Formats, which may stand with and without FORMAT.
pub(crate) const FORMATS: &[&str] = &["csv", "json", "avro", "parquet", "orc", "fixedwidth"];

/// The names of encodings, as they are written behind ENCODING.
pub(crate) const ENCODINGS: &[&str] = &["utf8", "utf16", "utf16le", "utf16be", "iso88591"];

/// The options as entries of the list.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    let entry = |id, page| Rule { id, kind: RuleKind::CopyOption, says: "", page, hint: "" };
    let formats = FORMATS.iter().map(move |format| {
        let columnar = ["parquet", "orc"].contains(format);
        entry(format, if columnar { dg!("copy-usage_notes-copy-from-columnar") } else { FORMAT })
    });
    let job = entry("job create", dg!("r_COPY-JOB"));
    OPTIONS.iter().map(move |option| entry(option.name, option.page)).chain(formats).chain([job])
}
