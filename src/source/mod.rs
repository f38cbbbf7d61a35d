//! Where do the bytes come from? A listing of named objects, each of which opens as a stream of decompressed bytes.
//!
//! This room knows files and compression. It does not know what the bytes mean, and no table.

mod content;
mod local;

use std::path::PathBuf;

use thiserror::Error;

pub use content::Content;

/// One object as it was listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// Its absolute path: what the ledger knows it by.
    pub key: String,
    /// Its size as it lies in the source, in bytes.
    pub size: u64,
    /// Its modification time in nanoseconds since 1970 UTC.
    pub modified_ns: i64,
    path: PathBuf,
}

impl Object {
    /// The object of this key, as it lies there now.
    pub fn find(key: &str) -> Result<Self, SourceError> {
        let missing = || SourceError::Missing {
            location: key.into(),
            hint: "its rows are kept in the warehouse".into(),
        };
        local::list(key)?.objects.pop().ok_or_else(missing)
    }
}

/// What lies under a location.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The location, absolute: every key begins with it.
    pub root: String,
    /// The objects to read, by key.
    pub objects: Vec<Object>,
    /// Names that are ignored by rule (`.…`, `_…`), with what is below them not counted.
    pub ignored: Vec<String>,
}

impl Listing {
    /// Leaves out a file of our own, and what stands beside it under its name (`file.…`): it is no input, wherever it lies.
    pub fn leave_out(&mut self, file: &str) {
        let beside = format!("{file}.");
        let (ours, objects) = std::mem::take(&mut self.objects)
            .into_iter()
            .partition(|object: &Object| object.key == file || object.key.starts_with(&beside));
        self.objects = objects;
        self.ignored.extend(ours.into_iter().map(|object: Object| object.key));
    }

    /// The sum of the objects' sizes.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size).sum()
    }
}

/// Lists every object under `location`, a folder or one file.
pub fn list(location: &str) -> Result<Listing, SourceError> {
    if let Some((scheme, _)) = location.split_once("://") {
        return match scheme {
            "file" => local::list(location.trim_start_matches("file://")),
            _ => Err(SourceError::Unserved { location: location.into() }),
        };
    }
    local::list(location)
}

/// Why bytes could not be had.
#[derive(Debug, Error)]
pub enum SourceError {
    /// Nothing is there.
    #[error("there is nothing at `{location}`")]
    Missing {
        /// What was named.
        location: String,
        /// What may have been meant.
        hint: String,
    },
    /// A location that this build cannot list.
    #[error("this build reads folders, and cannot list `{location}`")]
    Unserved {
        /// What was named.
        location: String,
    },
    /// The system refused.
    #[error("cannot {doing} `{path}`")]
    Unreadable {
        /// list or read.
        doing: &'static str,
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A name that is no UTF-8 cannot be a key.
    #[error("the name of `{path}` is not UTF-8")]
    NotUtf8 {
        /// The name, as far as it can be shown.
        path: String,
    },
    /// The compression is damaged, or is not what the name says.
    #[error("cannot decompress `{path}`: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The file is not the one that was listed.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// The file.
        path: String,
    },
}

impl SourceError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { hint, .. } => hint.clone(),
            Self::Unserved { .. } => {
                "fetch the objects first, for example with `aws s3 sync`".into()
            }
            Self::Unreadable { .. } => "check who may read it".into(),
            Self::NotUtf8 { .. } => "rename it".into(),
            Self::Damaged { .. } => {
                "fetch it again, or put `_` before its name to leave it out; nothing of this load was published".into()
            }
            Self::Changed { .. } => {
                "run it again when the file is at rest; nothing of this load was published".into()
            }
        }
    }
}
