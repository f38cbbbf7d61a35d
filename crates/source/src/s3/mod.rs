//! Objects in S3 and compatible servers: listed by prefix, and read as concurrent streams.
//!
//! - `request` sends one request, `error_response` explains errors, `retry` is the backoff, and
//!   `limiter` the adaptive concurrency limit.
//! - `listing` lists keys, `stream` downloads one object or a range of it, `body` combines the
//!   ranges of a large object, and `downloads` prefetches many objects.
//!
//! All of it runs on its own Tokio threads; the rest of the program reads a body as a `Read`.

mod body;
mod downloads;
mod error_response;
mod limiter;
mod listing;
mod request;
mod retry;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::runtime::{Builder, Handle, Runtime};

use super::{Listing, Object, ObjectMetadata, Place, SourceError};
pub(super) use body::Body;
pub(super) use downloads::Downloads;
use limiter::Limiter;
use listing::Listed;
use request::{Client, ReadRequest};
use sparkify_aws::{Chain, Signer};
use sparkify_config::{Access, S3Settings, suggest};

/// Threads for network I/O. Parsing runs on other threads.
const THREADS: usize = 2;

/// Buckets in use. They share settings, concurrency limit and threads.
#[derive(Debug, Default)]
pub(super) struct Stores {
    settings: S3Settings,
    buckets: Mutex<BTreeMap<String, Arc<Bucket>>>,
    shared: OnceLock<Shared>,
}

/// Resolved settings, concurrency limit and threads of all buckets.
#[derive(Debug)]
struct Shared {
    access: Access,
    signer: Arc<Signer>,
    limiter: Arc<Limiter>,
    threads: Threads,
}

/// Bucket of an object.
#[derive(Debug)]
pub(super) struct Bucket {
    client: Arc<Client>,
    runtime: Handle,
}

/// Tokio threads. They are not awaited on drop.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Returns an etag as in a header. Some servers omit its quotes in listings.
fn quoted(etag: &str) -> Option<String> {
    match etag {
        "" => None,
        etag if etag.ends_with('"') => Some(etag.to_owned()),
        etag => Some(format!("\"{etag}\"")),
    }
}

/// Bytes to download for an object: all of it, or those of a member in its archive.
struct Download<'a> {
    bucket: &'a Arc<Bucket>,
    stored: &'a Object,
    span: Range<u64>,
}

impl<'a> Download<'a> {
    /// Returns the download of an object; none for a file.
    fn of(object: &'a Object) -> Option<Self> {
        match &object.place {
            Place::S3(bucket) => Some(Self { bucket, stored: object, span: 0..object.size }),
            Place::Member(member) => {
                let archive = Self::of(&member.archive)?;
                Some(Self { span: member.span.clone(), ..archive })
            }
            Place::File | Place::Below(_) | Place::Unread => None,
        }
    }
}

impl Stores {
    pub(super) fn new(settings: S3Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Lists `path`, which is `bucket/prefix`.
    pub(super) fn list(&self, path: &str) -> Result<Listing, SourceError> {
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        let bucket = self.bucket(name)?;
        bucket.runtime.block_on(list(&bucket, prefix))
    }

    /// Returns the object at `path`, which is `bucket/key`.
    pub(super) fn find(&self, path: &str) -> Result<Object, SourceError> {
        let (name, key) = path.split_once('/').unwrap_or((path, ""));
        let bucket = self.bucket(name)?;
        let found = bucket.runtime.block_on(bucket.head(key))?;
        found.map(|listed| bucket.object(listed)).ok_or_else(|| SourceError::Missing {
            location: format!("s3://{path}"),
            hint: "the object was removed or renamed; its rows are still in the warehouse".into(),
        })
    }

    fn bucket(&self, name: &str) -> Result<Arc<Bucket>, SourceError> {
        check_name(name)?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(name) {
            return Ok(Arc::clone(bucket));
        }
        let shared = if let Some(shared) = self.shared.get() {
            shared
        } else {
            let begun = begin(&self.settings)?;
            self.shared.get_or_init(|| begun)
        };
        let Shared { access, signer, limiter, threads } = shared;
        let runtime = threads.0.as_ref().map(Runtime::handle).ok_or_else(no_threads)?.clone();
        let client = Arc::new(Client::new(name, access, Arc::clone(signer), Arc::clone(limiter))?);
        let bucket = Arc::new(Bucket { client, runtime });
        buckets.insert(name.to_owned(), Arc::clone(&bucket));
        Ok(bucket)
    }
}

fn begin(settings: &S3Settings) -> Result<Shared, SourceError> {
    // A provider that is already installed serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let access = settings.access()?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("s3")
        .enable_all()
        .build()
        .map_err(|_| no_threads())?;
    let chain = runtime.block_on(Chain::load(&access))?;
    let access = chain.access().clone();
    let limiter = Arc::new(Limiter::new(access.limits.concurrency));
    let threads = Threads(Some(runtime));
    Ok(Shared { access, signer: chain.signer(), limiter, threads })
}

fn no_threads() -> SourceError {
    SourceError::Store {
        doing: "reach",
        location: "S3".into(),
        reason: "cannot start a thread".into(),
        hint: "check the process limits (`ulimit -u`)".into(),
    }
}

/// Error of a task that ended without a result: it panicked, or the runtime was shut down.
fn task_ended(doing: &'static str) -> SourceError {
    SourceError::Store {
        doing,
        location: "S3".into(),
        reason: "internal error: a task ended early".into(),
        hint: "load again; this load published nothing".into(),
    }
}

/// Validates a bucket name, which becomes part of a host name or of a path.
fn check_name(name: &str) -> Result<(), SourceError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_name = (1..=255).contains(&name.len()) && name.bytes().all(fits) && !name.contains("..");
    if is_name && !name.starts_with('.') {
        return Ok(());
    }
    Err(SourceError::Missing {
        location: format!("s3://{name}"),
        hint: "write it as `s3://BUCKET/PREFIX`".into(),
    })
}

impl Bucket {
    /// Starts to download the bytes `span` of `object`.
    pub(super) fn open(self: &Arc<Self>, object: &Object, span: Range<u64>) -> Body {
        Body::open(self, object, span, None)
    }

    /// Returns the region that requests are signed for: that of the bucket, after its first
    /// response.
    pub(super) fn region(&self) -> String {
        self.client.region()
    }

    fn object(self: &Arc<Self>, listed: Listed) -> Object {
        ObjectMetadata {
            key: format!("s3://{}/{}", self.client.bucket, listed.key).into(),
            size: listed.size,
            modified_ns: listed.modified_ns,
            etag: listed.etag.map(Box::from),
            file: None,
            place: Place::S3(Arc::clone(self)),
        }
        .into()
    }

    /// Returns the key in the bucket.
    fn key_of<'a>(&self, object: &'a Object) -> &'a str {
        object.key.get("s3://".len() + self.client.bucket.len() + 1..).unwrap_or_default()
    }

    /// Returns the metadata of a key, if it exists.
    async fn head(&self, key: &str) -> Result<Option<Listed>, SourceError> {
        let location = format!("s3://{}/{key}", self.client.bucket);
        let request = ReadRequest {
            method: Method::HEAD,
            key,
            query: String::new(),
            headers: Vec::new(),
            doing: "read",
            location: &location,
        };
        let headers = match self.client.short(&request).await {
            Ok((headers, _)) => headers,
            Err(SourceError::Gone { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let modified = text(LAST_MODIFIED)
            .and_then(|text| OffsetDateTime::parse(text, &Rfc2822).ok())
            .and_then(|time| i64::try_from(time.unix_timestamp_nanos()).ok());
        Ok(Some(Listed {
            key: key.to_owned(),
            size: text(CONTENT_LENGTH).and_then(|text| text.parse().ok()).unwrap_or_default(),
            modified_ns: modified.unwrap_or_default(),
            etag: text(ETAG).and_then(quoted),
        }))
    }
}

/// Lists a folder; if it has no objects, the object with that key.
async fn list(bucket: &Arc<Bucket>, path: &str) -> Result<Listing, SourceError> {
    let name = &bucket.client.bucket;
    let prefix = path.trim_end_matches('/');
    let root = format!("s3://{name}/{prefix}").trim_end_matches('/').to_owned();
    let below = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let listed = listing::list(&bucket.client, &below).await?;
    if !listed.is_empty() || prefix.is_empty() {
        return Ok(sorted(bucket, root, &below, listed));
    }
    if !path.ends_with('/')
        && let Some(found) = bucket.head(prefix).await?
    {
        let objects = vec![bucket.object(found)];
        return Ok(Listing { root, objects, ..Listing::default() });
    }
    let hint = match nearest(bucket, prefix).await {
        Some(near) => format!("did you mean `s3://{name}/{near}`?"),
        None => format!("`aws s3 ls s3://{name}/` lists the bucket"),
    };
    Err(SourceError::Missing { location: root, hint })
}

/// Separates objects to read from those skipped by rule: names and folders that begin with `.` or
/// `_`, and empty objects that represent folders.
fn sorted(bucket: &Arc<Bucket>, root: String, below: &str, listed: Vec<Listed>) -> Listing {
    let mut ignored = BTreeSet::new();
    let mut objects = Vec::new();
    for found in listed {
        let rest = found.key.get(below.len()..).unwrap_or_default();
        let hidden = |part: &str| part.starts_with(['.', '_']);
        let mut end = 0;
        let skipped = rest.split('/').find_map(|part| {
            end += part.len() + 1;
            hidden(part).then_some(end - 1)
        });
        match skipped {
            Some(end) => {
                ignored.insert(format!("{root}/{}", &rest[..end]));
            }
            None if found.size == 0 && (rest.is_empty() || rest.ends_with('/')) => {
                ignored.insert(format!("{root}/{rest}"));
            }
            None => objects.push(bucket.object(found)),
        }
    }
    Listing { root, objects, ignored: ignored.into_iter().collect(), ..Listing::default() }
}

/// Returns the most similar name in the folder of `prefix`.
async fn nearest(bucket: &Arc<Bucket>, prefix: &str) -> Option<String> {
    let (folder, _) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let names = listing::names(&bucket.client, &folder).await.ok()?;
    suggest::nearest(prefix, names.iter().map(String::as_str)).map(str::to_owned)
}
