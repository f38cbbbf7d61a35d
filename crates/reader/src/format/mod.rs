//! Log formats: how the records of other players map to the columns of `staging_events`.
//!
//! A format is a TOML file of the folder `formats/`, or a user's own; a `JSONPaths` file is a format
//! with one path for each column. It chooses from closed lists: paths, constants, units, forms of
//! times, rules with conditions. There are no expressions. `docs/reference/formats.md` describes it.
//!
//! - `file` is the TOML, `compile` turns it into a mapping.
//! - `path` finds the values of a record, `rule` decides if it is a play, `time` parses times.
//! - `mapping` converts the values of a record to a row.

mod compile;
mod file;
mod mapping;
mod path;
mod rule;
mod time;

use std::sync::LazyLock;

use thiserror::Error;

pub(crate) use mapping::{Mapped, Mapping, RowParts};

/// Name of the program's own format.
pub const NATIVE: &str = "sparkify";
/// Page of a song play.
const PLAY: &str = "NextSong";
/// Prefix of the reason of records that a rule leaves out. They are kept with the rejected records,
/// and do not count towards the limit of rejects.
pub const NOT_A_PLAY: &str = "not a play: ";
const MILLISECONDS_OF_DAY: i64 = 86_400_000;
/// Bytes of a record in which the keys of other formats are searched for.
const RECOGNIZED_IN: usize = 16 << 10;

/// Log format.
#[derive(Debug, Clone, Copy)]
pub struct LogFormat {
    /// Name, or path of the file.
    pub name: &'static str,
    /// Short description.
    pub title: &'static str,
    /// Text of its file.
    pub text: &'static str,
    mapping: &'static Mapping,
    recognized_by: &'static [Vec<String>],
    /// True for the format of the program itself, which has a fast path.
    is_native: bool,
}

/// Error in a format.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FormatError {
    /// No format has this name.
    #[error("unknown log format `{name}`")]
    Unknown {
        /// Name as given.
        name: String,
    },
    /// The file is not a format.
    #[error("the log format `{name}` is invalid: {reason}")]
    Invalid {
        /// Name, or path of the file.
        name: String,
        /// Error in the file.
        reason: String,
    },
}

/// Names and files of the formats that the program has.
const SHIPPED: [(&str, &str); 7] = [
    ("sparkify", include_str!("../../../../formats/sparkify.toml")),
    ("eventsim", include_str!("../../../../formats/eventsim.toml")),
    ("spotify", include_str!("../../../../formats/spotify.toml")),
    ("listenbrainz", include_str!("../../../../formats/listenbrainz.toml")),
    ("lastfm", include_str!("../../../../formats/lastfm.toml")),
    ("maloja", include_str!("../../../../formats/maloja.toml")),
    ("koito", include_str!("../../../../formats/koito.toml")),
];

/// The formats that the program has, parsed once. A test finds one that is invalid.
static FORMATS: LazyLock<Vec<LogFormat>> = LazyLock::new(|| {
    SHIPPED.iter().filter_map(|(name, text)| LogFormat::parse(name, text).ok()).collect()
});

impl LogFormat {
    /// Returns the formats that the program has.
    pub fn all() -> &'static [Self] {
        &FORMATS
    }

    /// Returns the format of the program that has this name.
    pub fn named(name: &str) -> Result<Self, FormatError> {
        let known = FORMATS.iter().find(|format| format.name == name);
        known.copied().ok_or_else(|| FormatError::Unknown { name: name.to_owned() })
    }

    /// Parses the file of a format. It stays in memory until the program ends.
    pub fn parse(name: &str, text: &str) -> Result<Self, FormatError> {
        let invalid = |reason: String| FormatError::Invalid { name: name.to_owned(), reason };
        let file: file::FormatFile =
            toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        let mapping = compile::compile(&file).map_err(invalid)?;
        Ok(Self {
            name: name.to_owned().leak(),
            title: file.title.leak(),
            text: text.to_owned().leak(),
            is_native: compile::is_native(&mapping),
            mapping: Box::leak(Box::new(mapping)),
            recognized_by: file.recognized_by.leak(),
        })
    }

    /// Creates the format of a `JSONPaths` file: its i-th path fills the i-th column. Fails with
    /// the reason.
    pub fn of_json_paths(name: &str, text: &[u8]) -> Result<Self, String> {
        let mapping = compile::of_json_paths(text)?;
        Ok(Self {
            name: name.to_owned().leak(),
            title: "JSONPaths file",
            text: String::from_utf8_lossy(text).into_owned().leak(),
            is_native: compile::is_native(&mapping),
            mapping: Box::leak(Box::new(mapping)),
            recognized_by: &[],
        })
    }

    /// Returns the text of a `JSONPaths` file with which COPY reads this format; none if COPY cannot
    /// express it.
    pub fn json_paths(&self) -> Option<String> {
        compile::json_paths(self.mapping)
    }

    /// Returns true for the format of the program itself.
    pub fn is_native(&self) -> bool {
        self.is_native
    }

    /// Returns true if the records are inside an object.
    pub(crate) fn is_contained(&self) -> bool {
        !self.mapping.shape().containers.is_empty()
    }

    /// Returns the mapping, unless the native parser reads the format.
    pub(crate) fn mapping(self) -> Option<&'static Mapping> {
        (!self.is_native).then_some(self.mapping)
    }

    fn recognizes(&self, raw: &[u8]) -> bool {
        self.recognized_by.iter().any(|keys| keys.iter().all(|key| has_key(raw, key)))
    }
}

/// Returns true if these bytes of a record have the key, by its usual spelling.
pub(crate) fn has_key(raw: &[u8], key: &str) -> bool {
    memchr::memmem::find(raw, format!("\"{key}\"").as_bytes()).is_some()
}

/// Returns the name of the program's format, other than `own`, whose keys these bytes of a record
/// have; none if `own` is a user's format, which may have any keys.
pub(crate) fn recognized(raw: &[u8], own: &str) -> Option<&'static str> {
    let raw = &raw[..raw.len().min(RECOGNIZED_IN)];
    FORMATS.iter().find(|format| format.name == own)?;
    let format = FORMATS.iter().find(|format| format.recognizes(raw))?;
    (format.name != own).then_some(format.name)
}

#[cfg(test)]
mod tests;
