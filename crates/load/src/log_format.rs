//! Choice of the log format: a name, the file of a user, or a `JSONPaths` file.

use std::path::Path;

use sparkify_config::LogFormatSetting;
use sparkify_reader::{FormatError, LogFormat, ReadError};
use sparkify_source::{Content, Object, Sources};
use thiserror::Error;

/// Maximum size of a file, in bytes. Real ones have a few kilobytes.
const MAX_SIZE: u64 = 1 << 20;
/// `JSONPaths` file of the course. Its paths are those of the default format, so that an unchanged
/// `dwh.cfg` of the course loads local files without access to S3.
const COURSE_PATHS: &str = "s3://udacity-dend/log_json_path.json";

/// Format of the events of a load.
#[derive(Debug, Clone, Default)]
pub struct ChosenFormat {
    /// Format for the reader; none for the default one.
    pub format: Option<LogFormat>,
    /// Location of the `JSONPaths` file that chose it.
    pub json_paths: Option<String>,
}

/// Error in the choice of a format.
#[derive(Debug, Error)]
pub enum ChoiceError {
    /// There is no such format, or its file is invalid.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The file of a format cannot be read.
    #[error("cannot read the log format `{path}`")]
    Unreadable {
        /// Path of the file.
        path: String,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The `JSONPaths` file cannot be read.
    #[error("cannot read the JSONPaths file `{location}`")]
    UnreadablePaths {
        /// URL or path of the file.
        location: String,
        /// Error of the read.
        source: ReadError,
    },
    /// The `JSONPaths` file does not fit the columns.
    #[error("cannot use the JSONPaths file `{location}`: {reason}")]
    Paths {
        /// URL or path of the file.
        location: String,
        /// Error in the file.
        reason: String,
    },
}

impl ChoiceError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Format(FormatError::Unknown { .. }) => {
                "`sparkify formats` lists the formats; name the file of your own with its folder or `.toml`".into()
            }
            Self::Format(FormatError::Invalid { .. }) => {
                "`sparkify formats show spotify` prints an example; docs/reference/formats.md describes the file".into()
            }
            Self::Unreadable { .. } => "check the path of `--log-format`".into(),
            Self::UnreadablePaths { .. } => {
                "check LOG_JSONPATH, or pass `--log-format sparkify`: keys then fill the columns of their names".into()
            }
            Self::Paths { .. } => {
                "fix the file, or remove LOG_JSONPATH: keys then fill the columns of their names".into()
            }
        }
    }
}

impl ChosenFormat {
    /// Reads the format that is configured. Nothing else is read before, so that an error in it
    /// costs nothing.
    pub fn resolve(
        setting: Option<&LogFormatSetting>,
        log_data: Option<&str>,
        sources: &Sources,
    ) -> Result<Self, ChoiceError> {
        let format = match setting {
            None => return Ok(Self::default()),
            Some(LogFormatSetting::Format(name)) => return Ok(named(name)?.into()),
            Some(LogFormatSetting::JsonPaths(location)) => location,
        };
        let is_local = !log_data.is_some_and(|location| location.starts_with("s3://"));
        if format == COURSE_PATHS && is_local {
            return Ok(Self { json_paths: Some(format.clone()), format: None });
        }
        let text = read(sources, format)
            .map_err(|source| ChoiceError::UnreadablePaths { location: format.clone(), source })?;
        let paths = LogFormat::of_json_paths(format, &text)
            .map_err(|reason| ChoiceError::Paths { location: format.clone(), reason })?;
        Ok(Self { json_paths: Some(format.clone()), ..paths.into() })
    }
}

impl From<LogFormat> for ChosenFormat {
    fn from(format: LogFormat) -> Self {
        Self { format: Some(format).filter(|format| !format.is_native()), json_paths: None }
    }
}

/// Returns a format of the program, or reads one from its file.
pub fn named(name: &str) -> Result<LogFormat, ChoiceError> {
    let is_file = Path::new(name).extension().is_some() || name.contains(['/', '\\']);
    if !is_file {
        return Ok(LogFormat::named(name)?);
    }
    let unreadable = |source| ChoiceError::Unreadable { path: name.to_owned(), source };
    let size = std::fs::metadata(name).map_err(unreadable)?.len();
    if size > MAX_SIZE {
        return Err(unreadable(std::io::Error::other(format!(
            "it has more than {MAX_SIZE} bytes"
        ))));
    }
    let text = std::fs::read_to_string(name).map_err(unreadable)?;
    Ok(LogFormat::parse(name, &text)?)
}

fn read(sources: &Sources, location: &str) -> Result<Vec<u8>, ReadError> {
    let object: Object = sources.find(location)?;
    let (mut content, mut text) = (Content::open(&object)?, Vec::new());
    let mut buffer = [0; 1 << 14];
    loop {
        let read = content.read(&mut buffer)?;
        text.extend_from_slice(&buffer[..read]);
        if read == 0 || text.len() as u64 > MAX_SIZE {
            return Ok(text);
        }
    }
}
