//! Requests and results of an engine that copies objects from S3 itself.

/// How a COPY names its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By manifest; requires a configured prefix for manifests.
    Manifests,
    /// By key prefix, which other objects may share.
    Prefixes,
}

/// Objects of one COPY.
#[derive(Debug, Clone, Copy)]
pub enum CopyObjects<'a> {
    /// URLs with sizes in bytes, for a manifest.
    List(&'a [(&'a str, u64)]),
    /// All objects whose URL starts with this prefix.
    Prefix(&'a str),
}

/// Mapping of JSON keys to columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMapping<'a> {
    /// By equal names (`JSON 'auto'`).
    Exact,
    /// By equal names regardless of case (`JSON 'auto ignorecase'`).
    IgnoreCase,
    /// By the `JSONPaths` file at this URL, one path per column.
    Paths(&'a str),
    /// By a `JSONPaths` file with this text, which is written beside the manifest for the COPY.
    Written(&'a str),
}

/// Compression of all objects of a COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstandard,
}

/// One COPY.
#[derive(Debug, Clone, Copy)]
pub struct CopyRequest<'a> {
    /// Target table.
    pub table: &'a str,
    /// Columns to fill; in the order of the paths if `mapping` is a `JSONPaths` file.
    pub columns: &'a [String],
    /// Mapping of JSON keys to the columns.
    pub mapping: KeyMapping<'a>,
    /// Objects to copy.
    pub objects: CopyObjects<'a>,
    /// Compression of the objects.
    pub compression: Compression,
    /// AWS region of the bucket.
    pub region: &'a str,
}

/// Result that the engine reports after a COPY.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyResult {
    /// Number of inserted rows.
    pub rows: u64,
    /// Number of objects read.
    pub objects: u64,
    /// Rejected records, which are not in the table.
    pub refused: Vec<RefusedRecord>,
}

/// Record that the engine rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    /// URL of the object; an engine may truncate it.
    pub object: String,
    /// Reason that the engine reports.
    pub reason: String,
}

/// Rows in files of the staging prefix. Dropping this value deletes them.
pub struct WrittenRows {
    /// Table of the rows.
    pub table: String,
    /// Number of rows.
    pub rows: u64,
    /// Number of files.
    pub files: u64,
    /// URL of the manifest that lists the files.
    pub manifest: String,
    /// Deletes the files.
    pub folder: UploadedFiles,
}

/// Small files in the staging prefix. Dropping this value deletes them.
pub struct UploadedFiles {
    /// URL of their folder.
    pub folder: String,
    /// ARN of the IAM role with which the engine reads them.
    pub role: String,
    /// AWS region of the bucket.
    pub region: String,
    remove: Box<dyn Fn()>,
}

impl UploadedFiles {
    /// Creates a value whose drop calls `remove`, which deletes all files in the folder, including
    /// later ones.
    pub fn new(folder: String, role: String, region: String, remove: impl Fn() + 'static) -> Self {
        Self { folder, role, region, remove: Box::new(remove) }
    }
}

impl Drop for UploadedFiles {
    fn drop(&mut self) {
        (self.remove)();
    }
}
