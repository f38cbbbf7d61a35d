//! Orders and results of an engine that copies objects from a store itself.

/// How objects are named to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// One by one: a place for manifests is configured.
    Manifests,
    /// By key prefixes, which other objects may share.
    Prefixes,
}

/// Objects of one copy order.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// These URLs, each with its size in bytes.
    List(&'a [(&'a str, u64)]),
    /// Every object whose URL has this prefix.
    Prefix(&'a str),
}

/// Mapping of a record's keys to columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMapping<'a> {
    /// A key is the name of its column (`JSON 'auto'`).
    Exact,
    /// A key is the name of its column in any case (`JSON 'auto ignorecase'`).
    IgnoreCase,
    /// The `JSONPaths` file at this URL, one path per column.
    Paths(&'a str),
}

/// Compression of every object of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstandard,
}

/// One COPY.
#[derive(Debug, Clone, Copy)]
pub struct CopyOrder<'a> {
    /// The target table.
    pub table: &'a str,
    /// Its columns to fill, in the order of the paths if there are any.
    pub columns: &'a [String],
    /// The mapping of keys to these columns.
    pub mapping: KeyMapping<'a>,
    /// The objects.
    pub named: Named<'a>,
    /// Their compression.
    pub compression: Compression,
    /// The region of the store.
    pub region: &'a str,
}

/// Counts that the engine reports after a COPY.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyResult {
    /// Rows that are in the table.
    pub rows: u64,
    /// Objects that were read.
    pub objects: u64,
    /// Records that are not in the table.
    pub refused: Vec<RefusedRecord>,
}

/// A record that the engine refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    /// The URL of its object, of which an engine may report only the first bytes.
    pub object: String,
    /// The engine's reason.
    pub reason: String,
}

/// Small files in the staging prefix; dropping this value removes them.
pub struct UploadedFiles {
    /// The URL of their folder.
    pub folder: String,
    /// The ARN of the role with which the engine reads them.
    pub role: String,
    /// The region of the bucket.
    pub region: String,
    remove: Box<dyn Fn()>,
}

impl UploadedFiles {
    /// Files that `remove` deletes, including files that are added to the folder later.
    pub fn new(folder: String, role: String, region: String, remove: impl Fn() + 'static) -> Self {
        Self { folder, role, region, remove: Box::new(remove) }
    }
}

impl Drop for UploadedFiles {
    fn drop(&mut self) {
        (self.remove)();
    }
}
