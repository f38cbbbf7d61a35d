//! Where do the bytes come from? A listing of named objects, each of which opens as a stream of decompressed bytes.
//!
//! This room knows files, S3 and compression; it alone is asynchronous inside, and nobody outside sees it. It does not know what the bytes mean,
//! and no table.

mod ahead;
mod content;
pub mod cover;
mod fingerprint;
mod in_order;
mod local;
#[cfg(feature = "s3")]
mod s3;

use std::ops::Deref;
use std::sync::Arc;

use thiserror::Error;

pub use ahead::Ahead;
pub use content::Content;
pub use fingerprint::Fingerprint;
pub use in_order::InOrder;
use sparkify_config::{ConfigError, S3Settings};

/// One object as it was listed. There may be millions, in several lists: a copy is one more pointer.
#[derive(Debug, Clone, Default)]
pub struct Object(Arc<Facts>);

impl Deref for Object {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl From<Facts> for Object {
    fn from(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }
}

/// What a listing says of an object.
#[derive(Debug, Default)]
pub struct Facts {
    /// Its absolute path or its URL: what the ledger knows it by.
    pub key: Box<str>,
    /// Its size as it lies in the source, in bytes.
    pub size: u64,
    /// Its modification time in nanoseconds since 1970 UTC.
    pub modified_ns: i64,
    /// What its store calls this version of it; none where the store has no name for versions, as a folder has none.
    pub etag: Option<Box<str>>,
    place: Place,
}

impl Object {
    /// The region of the store that holds it, as far as that is known.
    pub fn region(&self) -> Option<String> {
        match &self.place {
            Place::File | Place::Below(_) => None,
            #[cfg(feature = "s3")]
            Place::S3(bucket) => Some(bucket.region()),
        }
    }

    /// Whether each reading of it goes over a network.
    pub fn is_far(&self) -> bool {
        !matches!(self.place, Place::File | Place::Below(_))
    }
}

/// Where an object's bytes are.
#[derive(Debug, Clone, Default)]
enum Place {
    /// In the file whose path is the key.
    #[default]
    File,
    /// In the file that the key names below this folder.
    Below(Arc<local::Root>),
    #[cfg(feature = "s3")]
    S3(Arc<s3::Bucket>),
}

/// Every place that objects may lie in: folders, and S3 as it was said to be reached. A copy is the same one.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    #[cfg(feature = "s3")]
    stores: Arc<s3::Stores>,
}

impl Sources {
    /// Folders, and S3 by these settings; nothing is asked of any server yet.
    #[cfg_attr(not(feature = "s3"), allow(unused_variables))]
    pub fn new(settings: &S3Settings) -> Self {
        Self {
            #[cfg(feature = "s3")]
            stores: Arc::new(s3::Stores::new(settings.clone())),
        }
    }

    /// Lists every object under `location`: a folder, one file, or `s3://bucket/prefix`.
    pub fn list(&self, location: &str) -> Result<Listing, SourceError> {
        match location.split_once("://") {
            None => local::list(location),
            Some(("file", path)) => local::list(path),
            #[cfg(feature = "s3")]
            Some(("s3", place)) => self.stores.list(place),
            #[cfg(not(feature = "s3"))]
            Some(("s3", _)) => Err(SourceError::LeftOut { location: location.into() }),
            Some(_) => Err(SourceError::Unserved { location: location.into() }),
        }
    }

    /// The object of this key, as it lies there now.
    pub fn find(&self, key: &str) -> Result<Object, SourceError> {
        #[cfg(feature = "s3")]
        if let Some(place) = key.strip_prefix("s3://") {
            return self.stores.find(place);
        }
        let missing = || SourceError::Missing {
            location: key.into(),
            hint: "its rows are kept in the warehouse".into(),
        };
        self.list(key)?.objects.pop().ok_or_else(missing)
    }
}

/// What lies under a location.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The location, absolute: every key begins with it.
    pub root: String,
    /// The objects to read, in the order of their keys, each once.
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
            .partition(|object: &Object| &*object.key == file || object.key.starts_with(&beside));
        self.objects = objects;
        self.ignored.extend(ours.into_iter().map(|object: Object| object.key.to_string()));
    }

    /// The sum of the objects' sizes.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size).sum()
    }
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
    #[error("there is no way to list `{location}`")]
    Unserved {
        /// What was named.
        location: String,
    },
    /// S3 was named, and the program was built without it.
    #[error("cannot list `{location}`: this program was built without S3")]
    LeftOut {
        /// What was named.
        location: String,
    },
    /// What was said about S3 makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A store said no, or nothing.
    #[error("cannot {doing} `{location}`: {reason}")]
    Store {
        /// list or read.
        doing: &'static str,
        /// The object, the prefix or the server.
        location: String,
        /// What went wrong, without any secret.
        reason: String,
        /// What to do.
        hint: String,
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
    /// It was listed, and is not there any more.
    #[error("`{path}` is gone since it was listed")]
    Gone {
        /// The object.
        path: String,
    },
    /// What it held cannot be told from what another object holds, which is read again.
    #[error(
        "`{path}` is gone, and its rows cannot be told from those of `{other}`, which is to be read again"
    )]
    Parted {
        /// The object that is gone.
        path: String,
        /// One that was fetched with it.
        other: String,
    },
    /// The file is not the one that was listed.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// The file.
        path: String,
    },
}

#[cfg(feature = "s3")]
impl From<sparkify_aws::AwsError> for SourceError {
    fn from(error: sparkify_aws::AwsError) -> Self {
        let sparkify_aws::AwsError { doing, location, reason, hint } = error;
        Self::Store { doing, location, reason, hint }
    }
}

impl SourceError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { hint, .. } | Self::Store { hint, .. } => hint.clone(),
            Self::Unserved { .. } => "name a folder, or `s3://BUCKET/PREFIX`".into(),
            Self::LeftOut { .. } => "build it whole with `make build`".into(),
            Self::Config(error) => error.hint(),
            Self::Unreadable { .. } => "check who may read it".into(),
            Self::Parted { .. } => {
                "put it back, or give its rows up: `--prune`, with the location that held it".into()
            }
            Self::NotUtf8 { .. } => "rename it".into(),
            Self::Damaged { .. } => {
                "fetch it again, or put `_` before its name to leave it out; nothing of this load was published".into()
            }
            Self::Changed { .. } | Self::Gone { .. } => {
                "run it again when the source is at rest; nothing of this load was published".into()
            }
        }
    }
}
