//! Options of COPY: syntax of their values, and the formats that do not support them.

use crate::rules::{Rule, RuleKind, dg};

const FORMAT: &str = dg!("copy-parameters-data-format");
const CONVERSION: &str = dg!("copy-parameters-data-conversion");
const LOAD: &str = dg!("copy-parameters-data-load");
const COMPRESSION: &str = dg!("copy-parameters-file-compression");
const S3: &str = dg!("copy-parameters-data-source-s3");
const AUTHORIZATION: &str = dg!("copy-parameters-authorization");

/// Syntax of an option's value. AS is allowed before each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OptionValue {
    /// No value.
    Flag,
    /// String literal.
    Text,
    /// String literal of one character.
    Character,
    /// Optional string literal of one character.
    OptionalCharacter,
    /// Whole number from the first to the second limit.
    Number(u64, u64),
    /// Optional ON, OFF, TRUE or FALSE.
    Switch,
    /// Optional PRESET, ON, OFF, TRUE or FALSE.
    Preset,
    /// Keyword of [`ENCODINGS`].
    Encoding,
    /// `'auto'` or a pattern.
    DateFormat,
    /// `'auto'`, `'epochsecs'`, `'epochmillisecs'` (in lower case) or a pattern.
    TimeFormat,
    /// Name of an AWS region.
    Region,
    /// Own syntax, which the grammar handles.
    Special,
}

/// Option of COPY.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopyOption {
    pub name: &'static str,
    pub value: OptionValue,
    /// True if Parquet and ORC support it.
    pub columnar: bool,
    /// Text formats that do not support it.
    pub unsupported_by: &'static [&'static str],
    pub page: &'static str,
}

const fn option(name: &'static str, value: OptionValue, page: &'static str) -> CopyOption {
    CopyOption { name, value, columnar: false, unsupported_by: &[], page }
}

const fn columnar(name: &'static str, value: OptionValue, page: &'static str) -> CopyOption {
    CopyOption { columnar: true, ..option(name, value, page) }
}

const fn unsupported_by(formats: &'static [&'static str], option: CopyOption) -> CopyOption {
    CopyOption { unsupported_by: formats, ..option }
}

const JSON_AND_AVRO: &[&str] = &["json", "avro"];

/// All options, by their first keyword.
pub(crate) const OPTIONS: &[CopyOption] = &[
    columnar("iam_role", OptionValue::Special, AUTHORIZATION),
    columnar("credentials", OptionValue::Special, AUTHORIZATION),
    columnar("manifest", OptionValue::Flag, S3),
    columnar("format", OptionValue::Special, FORMAT),
    option("region", OptionValue::Region, S3),
    unsupported_by(
        &["json", "avro", "fixedwidth"],
        option("delimiter", OptionValue::Character, FORMAT),
    ),
    option("gzip", OptionValue::Flag, COMPRESSION),
    option("bzip2", OptionValue::Flag, COMPRESSION),
    option("lzop", OptionValue::Flag, COMPRESSION),
    option("zstd", OptionValue::Flag, COMPRESSION),
    option("acceptanydate", OptionValue::Flag, CONVERSION),
    columnar("acceptinvchars", OptionValue::OptionalCharacter, CONVERSION),
    option("blanksasnull", OptionValue::Flag, CONVERSION),
    option("dateformat", OptionValue::DateFormat, CONVERSION),
    option("emptyasnull", OptionValue::Flag, CONVERSION),
    option("encoding", OptionValue::Encoding, CONVERSION),
    unsupported_by(
        &["json", "avro", "csv", "fixedwidth"],
        option("escape", OptionValue::Flag, CONVERSION),
    ),
    columnar("explicit_ids", OptionValue::Flag, CONVERSION),
    unsupported_by(JSON_AND_AVRO, columnar("fillrecord", OptionValue::Flag, CONVERSION)),
    unsupported_by(JSON_AND_AVRO, option("ignoreblanklines", OptionValue::Flag, CONVERSION)),
    option("ignoreheader", OptionValue::Number(0, i32::MAX as u64), CONVERSION),
    unsupported_by(JSON_AND_AVRO, option("null", OptionValue::Text, CONVERSION)),
    unsupported_by(
        &["json", "avro", "csv", "fixedwidth"],
        option("removequotes", OptionValue::Flag, CONVERSION),
    ),
    option("roundec", OptionValue::Flag, CONVERSION),
    option("timeformat", OptionValue::TimeFormat, CONVERSION),
    option("trimblanks", OptionValue::Flag, CONVERSION),
    option("truncatecolumns", OptionValue::Flag, CONVERSION),
    option("comprows", OptionValue::Number(1, i32::MAX as u64), LOAD),
    option("compupdate", OptionValue::Preset, LOAD),
    option("ignoreallerrors", OptionValue::Flag, LOAD),
    option("maxerror", OptionValue::Number(0, 100_000), LOAD),
    option("noload", OptionValue::Flag, LOAD),
    columnar("statupdate", OptionValue::Switch, LOAD),
];

/// Groups of options that exclude each other.
pub(crate) const EXCLUSIVE: &[&[&str]] = &[
    &["gzip", "bzip2", "lzop", "zstd"],
    &["maxerror", "ignoreallerrors"],
    &["iam_role", "credentials"],
    &["removequotes", "quote"],
];

/// Data formats; the keyword FORMAT before them is optional.
pub(crate) const FORMATS: &[&str] = &["csv", "json", "avro", "parquet", "orc", "fixedwidth"];

/// Values of ENCODING.
pub(crate) const ENCODINGS: &[&str] = &["utf8", "utf16", "utf16le", "utf16be", "iso88591"];

/// The options and formats as allow-list entries.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    let entry = |id, page| Rule::allowed(RuleKind::CopyOption, id, page);
    let formats = FORMATS.iter().map(move |format| {
        let columnar = ["parquet", "orc"].contains(format);
        entry(format, if columnar { dg!("copy-usage_notes-copy-from-columnar") } else { FORMAT })
    });
    let job = entry("job create", dg!("r_COPY-JOB"));
    OPTIONS.iter().map(move |option| entry(option.name, option.page)).chain(formats).chain([job])
}
