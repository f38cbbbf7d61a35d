//! Objects in a folder or in S3: listing, reading, prefetch, decompression and fingerprints.
//!
//! A [`Listing`] holds objects, and each opens as a stream of decompressed bytes ([`Content`]). The
//! public interface blocks; asynchronous code is internal to the `s3` module. This crate knows
//! neither records nor tables.

mod archive;
mod content;
pub mod cover;
mod fingerprint;
mod format;
mod in_order;
mod local;
mod prefetch;
#[cfg(feature = "s3")]
mod s3;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use thiserror::Error;

pub use content::Content;
pub use fingerprint::Fingerprint;
pub use format::recognized;
pub use in_order::InOrder;
pub use prefetch::Prefetch;
use sparkify_config::{ConfigError, S3Settings};

/// Object as it was listed. Cloning is cheap: millions of objects can be in several lists.
#[derive(Debug, Clone, Default)]
pub struct Object(Arc<ObjectMetadata>);

impl Deref for Object {
    type Target = ObjectMetadata;

    fn deref(&self) -> &ObjectMetadata {
        &self.0
    }
}

impl From<ObjectMetadata> for Object {
    fn from(metadata: ObjectMetadata) -> Self {
        Self(Arc::new(metadata))
    }
}

/// Metadata of an object in a listing.
#[derive(Debug, Default)]
pub struct ObjectMetadata {
    /// Absolute path or URL, or `ARCHIVE!/NAME` for a member of a zip archive; identifies the
    /// object in the ledger.
    pub key: Box<str>,
    /// Size as stored (compressed), in bytes; of a member, the size that it would have as a file.
    pub size: u64,
    /// Modification time in nanoseconds since 1970 UTC; of a member, that of its archive.
    pub modified_ns: i64,
    /// Identifier of this version of the object; none for files, and for servers without etags. Of
    /// a member, that of its archive.
    pub etag: Option<Box<str>>,
    /// Version of a file, or of the file that is its archive; none for an object in S3.
    pub file: Option<FileVersion>,
    place: Place,
}

/// Version of a local file, beyond size and modification time: a copy or a restore can set these,
/// but not the time of the inode's last change, or which inode the file has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileVersion {
    /// Time of the last change of the inode (ctime) in nanoseconds since 1970 UTC.
    pub changed_ns: i64,
    /// Inode number. The device is left out: its number may change when it is mounted again.
    pub inode: u64,
}

impl FileVersion {
    /// Parses the form that `Display` writes.
    pub fn parse(written: &str) -> Option<Self> {
        let (changed, inode) = written.strip_prefix("ctime=")?.split_once(",inode=")?;
        Some(Self { changed_ns: changed.parse().ok()?, inode: inode.parse().ok()? })
    }
}

/// Formats the version as the ledger stores it, in the place of an etag.
impl fmt::Display for FileVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ctime={},inode={}", self.changed_ns, self.inode)
    }
}

impl Object {
    /// Returns the identifier of this version: the etag, or the version of a file.
    pub fn version(&self) -> Option<String> {
        let file = self.file.as_ref().map(FileVersion::to_string);
        file.or_else(|| self.etag.as_deref().map(str::to_owned))
    }

    /// Returns the region of its bucket; none for a file.
    pub fn region(&self) -> Option<String> {
        match &self.place {
            Place::File | Place::Below(_) | Place::Unread => None,
            Place::Member(member) => member.archive.region(),
            #[cfg(feature = "s3")]
            Place::S3(bucket) => Some(bucket.region()),
        }
    }

    /// Returns true if the object is a member of an archive. Its version is that of the archive, so
    /// another version does not show that the member changed.
    pub fn is_member(&self) -> bool {
        matches!(self.place, Place::Member(_))
    }

    /// Returns true if the object is in S3 as it is, so that a warehouse can copy it.
    pub fn is_copyable(&self) -> bool {
        self.is_remote() && !self.is_member()
    }

    /// Returns true if the object is this file, or one that is named after it (`file.…`), after
    /// links are resolved.
    fn is_at(&self, file: &str) -> bool {
        if let Place::Member(member) = &self.place {
            return member.archive.is_at(file);
        }
        let is_named = |key: &str| {
            key.strip_prefix(file).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        // Resolving every path would be slow.
        let name = file.rsplit('/').next().unwrap_or(file);
        let may_be = self.key.rsplit('/').next().is_some_and(|key| key.starts_with(name));
        let resolved = || std::fs::canonicalize(&*self.key).ok()?.to_str().map(is_named);
        is_named(&self.key) || may_be && !self.is_remote() && resolved() == Some(true)
    }

    /// Returns true if reading the object uses the network.
    pub fn is_remote(&self) -> bool {
        match &self.place {
            Place::File | Place::Below(_) | Place::Unread => false,
            Place::Member(member) => member.archive.is_remote(),
            #[cfg(feature = "s3")]
            Place::S3(_) => true,
        }
    }
}

/// Storage of an object.
#[derive(Debug, Clone, Default)]
enum Place {
    /// File whose path is the key.
    #[default]
    File,
    /// File below this folder, at the path in the key.
    Below(Arc<local::Root>),
    /// Member of an archive.
    Member(Box<archive::Member>),
    /// Archive that changed each time that its directory was read.
    Unread,
    #[cfg(feature = "s3")]
    S3(Arc<s3::Bucket>),
}

/// Access to objects in folders and in S3. A clone shares connections and concurrency limit.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    #[cfg(feature = "s3")]
    stores: Arc<s3::Stores>,
    options: ListOptions,
    last_directory: Arc<archive::LastDirectory>,
}

/// Options of listings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Also follow symbolic links that lead out of the listed folder.
    pub follow_links: bool,
    /// An object that is removed or changed after it was found is an error.
    pub strict: bool,
    /// A location without objects is an error.
    pub require_objects: bool,
}

impl Sources {
    /// Creates access to folders, and to S3 with these settings. Sends no request yet.
    #[cfg_attr(not(feature = "s3"), allow(unused_variables))]
    pub fn new(settings: &S3Settings) -> Self {
        Self {
            #[cfg(feature = "s3")]
            stores: Arc::new(s3::Stores::new(settings.clone())),
            options: ListOptions::default(),
            last_directory: Arc::default(),
        }
    }

    /// Changes the options of listings.
    #[must_use]
    pub fn with_options(mut self, options: ListOptions) -> Self {
        self.options = options;
        self
    }

    /// Returns the options of listings.
    pub fn options(&self) -> ListOptions {
        self.options
    }

    /// Lists every object under `location`: a folder, one file, or `s3://bucket/prefix`. A zip
    /// archive is listed as its members, and `archive.zip!/folder` is a location, too.
    pub fn list(&self, location: &str) -> Result<Listing, SourceError> {
        if let Some(listing) = self.list_in_archive(location)? {
            return Ok(listing);
        }
        self.with_members(self.list_stored(location)?, "")
    }

    /// Lists a location without opening archives.
    fn list_stored(&self, location: &str) -> Result<Listing, SourceError> {
        match location.split_once("://") {
            None => local::list(location, self.options),
            Some(("file", path)) => local::list(path, self.options),
            #[cfg(feature = "s3")]
            Some(("s3", place)) => self.stores.list(place),
            #[cfg(not(feature = "s3"))]
            Some(("s3", _)) => Err(SourceError::WithoutS3 { location: location.into() }),
            Some(_) => Err(SourceError::Unsupported { location: location.into() }),
        }
    }

    /// Returns the current version of the object with this key.
    pub fn find(&self, key: &str) -> Result<Object, SourceError> {
        match self.find_in_archive(key)? {
            Some(member) => Ok(member),
            None => self.find_stored(key),
        }
    }

    /// Returns the object with this key, which is not a member of an archive.
    #[cfg_attr(not(feature = "s3"), expect(clippy::unused_self, reason = "S3 needs settings"))]
    fn find_stored(&self, key: &str) -> Result<Object, SourceError> {
        #[cfg(feature = "s3")]
        if let Some(place) = key.strip_prefix("s3://") {
            return self.stores.find(place);
        }
        local::find(key)?.ok_or_else(|| missing(key))
    }

    /// Returns the current version of a listed object. Links are followed as in its listing.
    pub fn refreshed(&self, object: &Object) -> Result<Object, SourceError> {
        match &object.place {
            Place::Below(root) => root.find(&object.key)?.ok_or_else(|| missing(&object.key)),
            Place::Member(member) => {
                let archive = self.refreshed(&member.archive)?;
                let name = archive::split(&object.key).map_or("", |(_, name)| name);
                self.member_of(&archive, name)?.ok_or_else(|| missing(&object.key))
            }
            Place::Unread => Err(SourceError::Changed { path: object.key.to_string() }),
            Place::File => self.find_stored(&object.key),
            #[cfg(feature = "s3")]
            Place::S3(_) => self.find_stored(&object.key),
        }
    }
}

fn missing(key: &str) -> SourceError {
    SourceError::Missing {
        location: key.into(),
        hint: "the object was removed or renamed; its rows are still in the warehouse".into(),
    }
}

/// Objects under a location.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Absolute location, with which every key begins.
    pub root: String,
    /// Objects to read, sorted by key, without duplicates.
    pub objects: Vec<Object>,
    /// Names that are skipped by rule (`.…`, `_…`). A skipped folder counts once.
    pub ignored: Vec<String>,
    /// Symbolic links that lead out of the folder and are not followed, sorted.
    pub links_out: Vec<String>,
    /// Archives that changed each time that their directory was read. Their members are not listed.
    pub unread: Vec<String>,
}

impl Listing {
    /// Moves a file of this program, and files named after it (`file.…`), to the skipped names: a
    /// warehouse file in the input folder is not input, also if a link leads to it.
    pub fn leave_out(&mut self, file: &str) {
        let is_own = |object: &Object| object.is_at(file);
        let (own, objects): (Vec<Object>, Vec<Object>) =
            std::mem::take(&mut self.objects).into_iter().partition(is_own);
        self.objects = objects;
        self.ignored.extend(own.iter().map(|object| object.key.to_string()));
    }

    /// Returns the object with this key, if it is listed.
    pub fn find(&self, key: &str) -> Option<&Object> {
        let at = self.objects.binary_search_by(|object| (*object.key).cmp(key)).ok()?;
        self.objects.get(at)
    }

    /// Returns true if this key may exist, although it is not listed: it is a link that is not
    /// followed, or below one, or in an archive that could not be read.
    pub fn may_hide(&self, key: &str) -> bool {
        let is_link =
            |path: &str| self.links_out.binary_search_by(|link| link.as_str().cmp(path)).is_ok();
        let archive = archive::split(key).map(|(archive, _)| archive);
        if archive.is_some_and(|archive| self.unread.iter().any(|unread| unread == archive)) {
            return true;
        }
        !self.links_out.is_empty()
            && (is_link(key)
                || archive.is_some_and(is_link)
                || key.match_indices('/').any(|(at, _)| is_link(&key[..at])))
    }

    /// Returns the total size of the objects, in bytes.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size).sum()
    }
}

/// Error of listing or reading objects.
#[derive(Debug, Error)]
pub enum SourceError {
    /// No object under the location.
    #[error("no objects found at `{location}`")]
    Missing {
        /// Location as given.
        location: String,
        /// A similar location, or the next step.
        hint: String,
    },
    /// Location with an unknown scheme.
    #[error("unsupported location `{location}`")]
    Unsupported {
        /// Location as given.
        location: String,
    },
    /// Location in S3, in a build without S3 support.
    #[error("cannot list `{location}`: this program was built without S3 support")]
    WithoutS3 {
        /// Location as given.
        location: String,
    },
    /// Invalid S3 settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Request to S3 that failed.
    #[error("cannot {doing} `{location}`: {reason}")]
    Store {
        /// Verb: list, read or reach.
        doing: &'static str,
        /// Object, prefix or server.
        location: String,
        /// Cause, without secrets.
        reason: String,
        /// Next action.
        hint: String,
    },
    /// Error of the file system.
    #[error("cannot {doing} `{path}`")]
    Unreadable {
        /// Verb: list or read.
        doing: &'static str,
        /// File or folder.
        path: String,
        /// Error of the system.
        source: std::io::Error,
    },
    /// File name that is not UTF-8, and so cannot be a key.
    #[error("the name of `{path}` is not UTF-8")]
    NotUtf8 {
        /// Path with replacement characters.
        path: String,
    },
    /// Compression that is damaged, or that differs from the file extension.
    #[error("cannot decompress `{path}`: {reason}")]
    Damaged {
        /// Key of the object.
        path: String,
        /// Error of the decoder.
        reason: String,
    },
    /// Zip archive or member that cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Archive {
        /// Key of the archive or of the member.
        path: String,
        /// Damage, or feature that is not supported.
        reason: String,
        /// Next action.
        hint: &'static str,
    },
    /// Entry of a folder that has no content, such as a named pipe.
    #[error("`{path}` is {what}, not a file")]
    NotAFile {
        /// Path of the entry.
        path: String,
        /// Kind of the entry.
        what: &'static str,
    },
    /// Symbolic link whose target does not exist.
    #[error("`{path}` is a symbolic link to `{target}`, which does not exist")]
    DanglingLink {
        /// Path of the link.
        path: String,
        /// Target as the link holds it.
        target: String,
    },
    /// Symbolic link that leads back to itself.
    #[error("`{path}` is a symbolic link that leads back to itself")]
    LinkLoop {
        /// Path of the link.
        path: String,
    },
    /// Object that was removed after it was listed.
    #[error("`{path}` was removed after it was listed")]
    Gone {
        /// Key of the object.
        path: String,
    },
    /// Object that was removed, and whose rows have the same ID as those of an object to be read
    /// again.
    #[error(
        "`{path}` was removed, and its rows cannot be separated from those of `{other}`, which must be read again"
    )]
    Parted {
        /// Key of the removed object.
        path: String,
        /// Key of an object that the warehouse copied together with it.
        other: String,
    },
    /// Object that changed after it was listed.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// Key of the object.
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
    /// Returns true if the object was changed or removed while it was listed or read, so that
    /// another attempt may succeed.
    pub fn is_unstable(&self) -> bool {
        matches!(self, Self::Changed { .. } | Self::Gone { .. })
    }

    /// Returns the next action for a user.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { hint, .. } | Self::Store { hint, .. } => hint.clone(),
            Self::Archive { hint, .. } => (*hint).into(),
            Self::Unsupported { .. } => "use a folder, or `s3://BUCKET/PREFIX`".into(),
            Self::WithoutS3 { .. } => "build the program with `make build`".into(),
            Self::Config(error) => error.hint(),
            Self::Unreadable { source, .. }
                if source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                "check its permissions".into()
            }
            Self::Unreadable { .. } => "check the file system, and load again".into(),
            Self::NotAFile { .. } => {
                "name a folder or a file; an entry of a folder is skipped if its name starts with `_`".into()
            }
            Self::DanglingLink { .. } | Self::LinkLoop { .. } => {
                "remove the link, or rename it to start with `_` to skip it".into()
            }
            Self::Parted { .. } => {
                "restore it, or delete its rows with `--prune` and its location".into()
            }
            Self::NotUtf8 { .. } => "rename the file".into(),
            Self::Damaged { .. } => {
                "fetch it again, or rename it to start with `_` to skip it; this load published nothing".into()
            }
            Self::Changed { .. } | Self::Gone { .. } => {
                "run it again when no other program changes the source; this load published nothing".into()
            }
        }
    }
}
