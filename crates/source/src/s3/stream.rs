//! The bytes of one object, or of a range of it, on their way: a task fetches them, a reader takes them, and no more than a window of them waits
//! in between.
//!
//! What arrives is held against what was listed: the etag by `If-Match` and by the answer's own, the size by its header and by counting, the range by
//! where it begins and ends. A body that breaks off is asked for again from where it broke; so a reader gets what it asked for, or an error.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_MATCH, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::body::PART;
use super::limiter::Permit;
use super::request::Ask;
use super::retry::{Tries, Trouble, of_transport};
use super::{Bucket, quoted};
use crate::{Object, SourceError};

/// Bytes of one stream that may wait for its reader; a part of an object has room for all of it.
pub(super) const WINDOW: u64 = 2 << 20;
/// A body that gave so many bytes since it last broke has not broken in a row.
const WORTH: u64 = 64 << 10;

type Chunk = Result<Bytes, SourceError>;

/// What is asked for, and what becomes of it where the store sends the whole object instead of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// The object from somewhere to its end. What the reader has is passed over.
    Whole,
    /// The same, and the store is to show whether it knows ranges; it may be cut.
    Lead,
    /// A part. It ends before its end, and the reader goes on otherwise.
    Part,
}

/// The reader's end. Dropping it ends the fetching.
#[derive(Debug)]
pub(super) struct Stream {
    /// Where it begins in its object.
    pub start: u64,
    chunks: UnboundedReceiver<Chunk>,
    shared: Arc<Shared>,
    current: Bytes,
    /// What it ended with: several may read it by turns, and each is to hear it.
    ended: Option<Box<SourceError>>,
    /// How much of the window what was taken out holds still.
    taken: usize,
    task: AbortHandle,
    /// Its part of what may be fetched ahead.
    _budget: Option<OwnedSemaphorePermit>,
}

/// What both ends know.
#[derive(Debug)]
struct Shared {
    window: Semaphore,
    span: Mutex<Range<u64>>,
}

impl Shared {
    /// From what the reader has, or has on its way, to the end.
    fn span(&self) -> MutexGuard<'_, Range<u64>> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// Begins to fetch these bytes of `object`.
    pub(super) fn fetch(
        bucket: &Arc<Bucket>,
        object: &Object,
        span: Range<u64>,
        manner: Manner,
        budget: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let (sender, chunks) = unbounded_channel();
        let start = span.start;
        let window = if manner == Manner::Part { PART } else { WINDOW };
        let window = Semaphore::new(usize::try_from(window).unwrap_or(1 << 20));
        let shared = Arc::new(Shared { window, span: Mutex::new(span) });
        let fetch = Fetch {
            bucket: Arc::clone(bucket),
            object: object.clone(),
            manner,
            shared: Arc::clone(&shared),
            sender,
        };
        let task = bucket.runtime.spawn(fetch.run()).abort_handle();
        Self {
            start,
            chunks,
            shared,
            current: Bytes::new(),
            ended: None,
            taken: 0,
            task,
            _budget: budget,
        }
    }

    /// Whether a reader would have to wait.
    pub(super) fn keeps_waiting(&self) -> bool {
        self.current.is_empty() && self.chunks.is_empty() && !self.chunks.is_closed()
    }

    /// Ends it at a border of parts that it has not come near to, if there is one before its end. Says which one.
    pub(super) fn cut(&self) -> Option<u64> {
        let mut span = self.shared.span();
        let border = (span.start + PART / 2).next_multiple_of(PART);
        (border < span.end).then(|| {
            span.end = border;
            border
        })
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            self.shared.window.add_permits(std::mem::take(&mut self.taken));
            match self.chunks.blocking_recv() {
                None => match &self.ended {
                    None => return Ok(0),
                    Some(error) => return Err(io::Error::other(once_more(error))),
                },
                Some(Err(error)) => {
                    self.ended = Some(Box::new(once_more(&error)));
                    return Err(io::Error::other(error));
                }
                Some(Ok(chunk)) => {
                    self.taken = chunk.len();
                    self.current = chunk;
                }
            }
        }
        let read = buffer.len().min(self.current.len());
        buffer[..read].copy_from_slice(&self.current.split_to(read));
        Ok(read)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The fetching end.
struct Fetch {
    bucket: Arc<Bucket>,
    object: Object,
    manner: Manner,
    shared: Arc<Shared>,
    sender: UnboundedSender<Chunk>,
}

impl Fetch {
    async fn run(self) {
        if let Err(error) = self.deliver().await {
            // A reader that is gone needs no error.
            let _ = self.sender.send(Err(error));
        }
    }

    /// What is still to be fetched.
    fn left(&self) -> Range<u64> {
        self.shared.span().clone()
    }

    async fn deliver(&self) -> Result<(), SourceError> {
        let mut tries = Tries::default();
        loop {
            let asked = self.left();
            if asked.is_empty() {
                return Ok(());
            }
            let mut permit = Some(self.bucket.client.limiter.enter().await);
            let result = self.stream(&asked, &mut permit).await;
            let came = self.left().start - asked.start;
            if came >= WORTH {
                tries.forget();
            }
            let reason = match result {
                Ok(()) => {
                    if let Some(permit) = permit {
                        permit.succeeded(came);
                    }
                    continue;
                }
                Err(trouble) => trouble.passing(permit)?,
            };
            let most = self.bucket.client.most_tries();
            tries.again(reason, "read", &self.object.key, most).await?;
        }
    }

    fn ask(&self, asked: &Range<u64>) -> Ask<'_> {
        let mut headers = Vec::new();
        headers.extend(self.object.etag.as_ref().map(|etag| (IF_MATCH, etag.to_string())));
        if asked.end < self.object.size {
            headers.push((RANGE, format!("bytes={}-{}", asked.start, asked.end - 1)));
        } else if asked.start > 0 || self.manner != Manner::Whole {
            headers.push((RANGE, format!("bytes={}-", asked.start)));
        }
        Ask {
            method: Method::GET,
            key: self.bucket.key_of(&self.object),
            query: String::new(),
            headers,
            doing: "read",
            location: &self.object.key,
        }
    }

    /// One request: hands on what it gives, up to the end.
    async fn stream(&self, asked: &Range<u64>, permit: &mut Option<Permit>) -> Result<(), Trouble> {
        let client = &self.bucket.client;
        let mut response = client.attempt(&self.ask(asked)).await?;
        let mut skip = self.compared(&response, asked)?;
        let server = client.server_name();
        while !self.left().is_empty() {
            let chunk = match timeout(client.limits.read_timeout, response.chunk()).await {
                Err(_) => return Err(client.silence(&server)),
                Ok(Err(error)) => return Err(of_transport(error, &server, true)),
                Ok(Ok(None)) => return Err(self.wrong_length("broke off")),
                Ok(Ok(Some(chunk))) => chunk,
            };
            let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= passed as u64;
            let chunk = chunk.slice(passed..);
            if chunk.len() as u64 > asked.end - self.left().start {
                return Err(self.wrong_length("went on too long"));
            }
            self.hand_on(chunk, permit).await;
        }
        Ok(())
    }

    fn wrong_length(&self, what: &str) -> Trouble {
        let (at, size) = (self.left().start, self.object.size);
        Trouble::Passing(format!("the answer {what}, at byte {at} of {size}"))
    }

    /// Whether the answer is about what was listed; how many of its bytes the reader has already.
    fn compared(&self, response: &Response, asked: &Range<u64>) -> Result<u64, Trouble> {
        let headers = response.headers();
        let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).and_then(quoted);
        let other = |listed: &str| etag.as_ref().is_some_and(|etag| **etag != *listed);
        if self.object.etag.as_deref().is_some_and(other) {
            return Err(self.changed());
        }
        let partial = response.status() == StatusCode::PARTIAL_CONTENT;
        let (total, skip) = match (partial, range_of(headers)) {
            (true, Some((range, total)))
                if range.start == asked.start && range.end <= asked.end =>
            {
                (Some(total), 0)
            }
            (true, _) => return Err(Trouble::Passing("the answer has another range".into())),
            // A server that knows no ranges sends the whole.
            (false, _) => (length_of(headers), asked.start),
        };
        match total {
            Some(total) if total != self.object.size && self.object.etag.is_none() => {
                return Err(self.changed());
            }
            // The same version cannot have another size: something between here and the store is wrong.
            Some(total) if total != self.object.size => {
                return Err(Trouble::Passing(format!(
                    "the answer says {total} bytes, and {} were listed",
                    self.object.size
                )));
            }
            _ => {}
        }
        if self.manner != Manner::Whole {
            self.bucket.client.saw_ranges(partial);
        }
        if self.manner == Manner::Part && !partial {
            let mut span = self.shared.span();
            span.end = span.start;
        }
        Ok(skip)
    }

    fn changed(&self) -> Trouble {
        Trouble::Final(SourceError::Changed { path: self.object.key.to_string() })
    }

    /// Waits until there is room. A reader that is behind must not hold the place of a request.
    async fn hand_on(&self, mut chunk: Bytes, permit: &mut Option<Permit>) {
        let most = usize::try_from(WINDOW / 2).unwrap_or(usize::MAX);
        while !chunk.is_empty() {
            let mut part = chunk.split_to(chunk.len().min(most));
            let bytes = u32::try_from(part.len()).unwrap_or(u32::MAX);
            if let Ok(room) = self.shared.window.try_acquire_many(bytes) {
                room.forget();
            } else {
                drop(permit.take());
                if let Ok(room) = self.shared.window.acquire_many(bytes).await {
                    room.forget();
                }
            }
            let mut span = self.shared.span();
            // It may have been cut meanwhile.
            let fits = usize::try_from(span.end - span.start).unwrap_or(usize::MAX);
            part.truncate(fits);
            span.start += part.len() as u64;
            let _ = self.sender.send(Ok(part));
        }
    }
}

/// The same words.
fn once_more(error: &SourceError) -> SourceError {
    match error {
        SourceError::Changed { path } => SourceError::Changed { path: path.clone() },
        SourceError::Gone { path } => SourceError::Gone { path: path.clone() },
        SourceError::Store { doing, location, reason, hint } => SourceError::Store {
            doing,
            location: location.clone(),
            reason: reason.clone(),
            hint: hint.clone(),
        },
        other => SourceError::Store {
            doing: "read",
            location: "S3".into(),
            reason: other.to_string(),
            hint: other.hint(),
        },
    }
}

fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `bytes 5-9/10`: the range, and the size of the whole.
fn range_of(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let last: u64 = last.parse().ok()?;
    Some((first.parse().ok()?..last.checked_add(1)?, total.parse().ok()?))
}
