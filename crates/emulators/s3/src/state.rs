//! What the server holds, and how it behaves just now.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, RwLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use s3s::dto::{ETag, Timestamp};
use s3s::{S3Result, s3_error};

use crate::fault::Fault;
use crate::traffic::Traffic;
use crate::uploads::Upload;

/// An object.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What it holds.
    pub bytes: Bytes,
    /// Counts up: each version has its own.
    pub version: u64,
    /// So many parts it came in; none if it came whole.
    pub parts: usize,
}

pub(crate) type Objects = BTreeMap<String, Stored>;

/// What the server shares with who runs it.
#[derive(Debug, Default)]
pub struct State {
    pub(crate) buckets: RwLock<BTreeMap<String, Objects>>,
    keys: RwLock<BTreeMap<String, String>>,
    uploads: Mutex<BTreeMap<String, Upload>>,
    /// Part of a request as it is noted, what goes wrong there, how often still.
    faults: Mutex<Vec<(String, Fault, usize)>>,
    pub(crate) latency: AtomicU64,
    /// Bytes a second of one answer; 0 is no limit.
    pub(crate) bandwidth: AtomicU64,
    /// By path.
    traffic: Mutex<BTreeMap<String, Traffic>>,
    /// More at once than this are refused; 0 is no limit.
    pub at_once: AtomicUsize,
    /// Requests may be unsigned.
    pub is_public: AtomicBool,
    /// Who asks must say that he pays.
    pub requester_pays: AtomicBool,
    /// Encode keys in listings when asked to.
    pub encodes: AtomicBool,
    /// Listings tell no etag.
    pub tells_no_etag: AtomicBool,
    /// The region to sign for; empty is any.
    pub region: Mutex<String>,
    /// A session token that has expired.
    pub expired: Mutex<Option<String>>,
    /// How many requests there were.
    pub requests: AtomicUsize,
    pub(crate) in_flight: AtomicUsize,
    /// The most requests that there were at once.
    pub most_in_flight: AtomicUsize,
    pub(crate) log: Mutex<Vec<String>>,
    versions: AtomicU64,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { encodes: AtomicBool::new(true), ..Self::default() }
    }

    /// Makes a bucket, unless it is there.
    ///
    /// # Panics
    /// When a thread of the server has died, as everything here.
    pub fn add_bucket(&self, name: &str) {
        self.buckets.write().expect("a lock").entry(name.to_owned()).or_default();
    }

    /// One more key that may sign.
    ///
    /// # Panics
    /// When a thread of the server has died.
    pub fn add_key(&self, key: &str, secret: &str) {
        self.keys.write().expect("a lock").insert(key.to_owned(), secret.to_owned());
    }

    pub(crate) fn secret(&self, key: &str) -> Option<String> {
        self.keys.read().expect("a lock").get(key).cloned()
    }

    /// Puts an object into a bucket that is there, and nowhere else.
    ///
    /// # Panics
    /// When a thread of the server has died.
    pub fn put(&self, bucket: &str, key: &str, bytes: Bytes) {
        if let Some(objects) = self.buckets.write().expect("a lock").get_mut(bucket) {
            objects.insert(key.to_owned(), self.version(bytes, 0));
        }
    }

    /// The next version of anything.
    pub(crate) fn version(&self, bytes: Bytes, parts: usize) -> Stored {
        Stored { bytes, version: self.versions.fetch_add(1, Ordering::Relaxed), parts }
    }

    pub(crate) fn remove(&self, bucket: &str, key: &str) {
        if let Some(objects) = self.buckets.write().expect("a lock").get_mut(bucket) {
            objects.remove(key);
        }
    }

    pub(crate) fn stored(&self, bucket: &str, key: &str) -> Option<Stored> {
        self.buckets.read().expect("a lock").get(bucket)?.get(key).cloned()
    }

    /// The object, or what S3 says when there is none.
    pub(crate) fn found(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        self.is_there(bucket)?;
        self.stored(bucket, key).ok_or_else(|| s3_error!(NoSuchKey))
    }

    pub(crate) fn is_there(&self, bucket: &str) -> S3Result<()> {
        let there = self.buckets.read().expect("a lock").contains_key(bucket);
        if there { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    pub(crate) fn keys(&self, bucket: &str) -> Vec<String> {
        let buckets = self.buckets.read().expect("a lock");
        buckets.get(bucket).map(|objects| objects.keys().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn uploads(&self) -> MutexGuard<'_, BTreeMap<String, Upload>> {
        self.uploads.lock().expect("a lock")
    }

    pub(crate) fn traffic(&self) -> MutexGuard<'_, BTreeMap<String, Traffic>> {
        self.traffic.lock().expect("a lock")
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<(String, Fault, usize)>> {
        self.faults.lock().expect("a lock")
    }

    /// What goes wrong with this request.
    pub(crate) fn fault(&self, line: &str) -> Option<Fault> {
        let has = |part: &str| {
            let behind = |rest: &'_ str, piece: &str| Some(rest.find(piece)? + piece.len());
            part.split('*').try_fold(line, |rest, piece| rest.get(behind(rest, piece)?..)).is_some()
        };
        let mut faults = self.faults();
        let (_, fault, times) =
            faults.iter_mut().find(|(part, _, times)| *times > 0 && has(part))?;
        *times -= 1;
        Some(fault.clone())
    }
}

impl Stored {
    pub(crate) fn etag(&self) -> ETag {
        let parts = if self.parts == 0 { String::new() } else { format!("-{}", self.parts) };
        ETag::Strong(format!("{:032x}{parts}", self.version))
    }

    /// Long ago: the time alone leaves no doubt.
    pub(crate) fn modified(&self) -> Timestamp {
        (SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000 + self.version)).into()
    }
}
