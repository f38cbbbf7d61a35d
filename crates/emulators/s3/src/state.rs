//! Objects and configuration of the server, shared between its connections and the test.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, RwLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use s3s::dto::{ETag, Timestamp};
use s3s::{S3Result, s3_error};

use crate::fault::Fault;
use crate::hold::Holds;
use crate::multipart::Upload;
use crate::transfer::AllTransfers;
use crate::watched::Watched;

/// Version of an object.
#[derive(Debug, Clone)]
pub struct StoredObject {
    /// Content.
    pub bytes: Bytes,
    /// Unique and increasing number of the version, from which its etag and time derive.
    pub version: u64,
    /// Number of parts of its multipart upload; 0 if it was uploaded by one PUT.
    pub parts: usize,
}

pub(crate) type Objects = BTreeMap<String, StoredObject>;

/// State of the server. Tests set its public fields.
#[derive(Debug, Default)]
pub struct State {
    pub(crate) buckets: RwLock<BTreeMap<String, Objects>>,
    /// Secrets by access key ID.
    keys: RwLock<BTreeMap<String, String>>,
    uploads: Mutex<BTreeMap<String, Upload>>,
    /// Pattern, fault, and how often it will still happen.
    faults: Mutex<Vec<(String, Fault, usize)>>,
    pub(crate) holds: Watched<Holds>,
    pub(crate) transfers: Watched<AllTransfers>,
    /// Microseconds before each response.
    pub(crate) latency: AtomicU64,
    /// Bytes per second of each download; 0 is no limit.
    pub(crate) bandwidth: AtomicU64,
    /// Requests in flight above this number fail with `SlowDown`; 0 is no limit.
    pub max_concurrent: AtomicUsize,
    /// True if the buckets are public: requests may be unsigned.
    pub is_public: AtomicBool,
    /// True if requests must have the requester-pays header.
    pub requester_pays: AtomicBool,
    /// True if listings encode keys when the request asks for it.
    pub encodes_keys: AtomicBool,
    /// True if listings contain no etags.
    pub omits_etags: AtomicBool,
    /// Region for which requests must be signed; empty for any.
    pub region: Mutex<String>,
    /// Session token that is rejected as expired.
    pub expired_token: Mutex<Option<String>>,
    /// Number of requests since the start.
    pub request_count: AtomicUsize,
    pub(crate) in_flight: AtomicUsize,
    /// Highest number of requests that were in flight at once.
    pub max_in_flight: AtomicUsize,
    pub(crate) log: Mutex<Vec<String>>,
    versions: AtomicU64,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { encodes_keys: AtomicBool::new(true), ..Self::default() }
    }

    /// Creates a bucket, unless it exists.
    ///
    /// # Panics
    /// If a thread of the server panicked.
    pub fn add_bucket(&self, name: &str) {
        self.buckets.write().expect("a lock").entry(name.to_owned()).or_default();
    }

    /// Adds an access key.
    ///
    /// # Panics
    /// If a thread of the server panicked.
    pub fn add_key(&self, key: &str, secret: &str) {
        self.keys.write().expect("a lock").insert(key.to_owned(), secret.to_owned());
    }

    pub(crate) fn secret(&self, key: &str) -> Option<String> {
        self.keys.read().expect("a lock").get(key).cloned()
    }

    /// Puts an object into a bucket, if the bucket exists.
    ///
    /// # Panics
    /// If a thread of the server panicked.
    pub fn put(&self, bucket: &str, key: &str, bytes: Bytes) {
        if let Some(objects) = self.buckets.write().expect("a lock").get_mut(bucket) {
            objects.insert(key.to_owned(), self.new_version(bytes, 0));
        }
    }

    /// Creates a version with the next number.
    pub(crate) fn new_version(&self, bytes: Bytes, parts: usize) -> StoredObject {
        StoredObject { bytes, version: self.versions.fetch_add(1, Ordering::Relaxed), parts }
    }

    pub(crate) fn remove(&self, bucket: &str, key: &str) {
        if let Some(objects) = self.buckets.write().expect("a lock").get_mut(bucket) {
            objects.remove(key);
        }
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> Option<StoredObject> {
        self.buckets.read().expect("a lock").get(bucket)?.get(key).cloned()
    }

    /// Returns the object, or the error of S3 for a missing bucket or key.
    pub(crate) fn find_object(&self, bucket: &str, key: &str) -> S3Result<StoredObject> {
        self.check_bucket(bucket)?;
        self.object(bucket, key).ok_or_else(|| s3_error!(NoSuchKey))
    }

    pub(crate) fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        let exists = self.buckets.read().expect("a lock").contains_key(bucket);
        if exists { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    pub(crate) fn keys(&self, bucket: &str) -> Vec<String> {
        let buckets = self.buckets.read().expect("a lock");
        buckets.get(bucket).map(|objects| objects.keys().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn uploads(&self) -> MutexGuard<'_, BTreeMap<String, Upload>> {
        self.uploads.lock().expect("a lock")
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<(String, Fault, usize)>> {
        self.faults.lock().expect("a lock")
    }

    /// Returns the fault for the request with this line of the log, and counts it.
    pub(crate) fn take_fault(&self, line: &str) -> Option<Fault> {
        let mut faults = self.faults();
        let (_, fault, times) =
            faults.iter_mut().find(|(pattern, _, times)| *times > 0 && matches(line, pattern))?;
        *times -= 1;
        Some(fault.clone())
    }
}

/// Returns true if the line contains the pieces of the pattern between `*`, in this order.
pub(crate) fn matches(line: &str, pattern: &str) -> bool {
    let after = |rest: &str, piece: &str| Some(rest.find(piece)? + piece.len());
    pattern.split('*').try_fold(line, |rest, piece| rest.get(after(rest, piece)?..)).is_some()
}

impl StoredObject {
    pub(crate) fn etag(&self) -> ETag {
        let parts = if self.parts == 0 { String::new() } else { format!("-{}", self.parts) };
        ETag::Strong(format!("{:032x}{parts}", self.version))
    }

    /// Returns a modification time in the past, so that clients can rely on it.
    pub(crate) fn modified(&self) -> Timestamp {
        (SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000 + self.version)).into()
    }
}
