//! Download of one object, or of a range of it, as a stream: a task downloads the bytes and a
//! reader consumes them, with at most a window of bytes buffered in between.
//!
//! The download is verified against the listing: the etag by `If-Match` and by the header of the
//! response, the size by the header and by counting, the range by its start and end. If a response
//! ends early, the task requests the rest from where it ended. So the reader receives exactly the
//! bytes of the listed version, or an error.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_MATCH, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use super::body::PART;
use super::limiter::Permit;
use super::request::{Pace, ReadRequest};
use super::retry::{AttemptError, Retry};
use super::{Bucket, quoted};
use crate::{Object, SourceError};

/// Most bytes of a stream that are buffered. A part of an object is buffered as a whole.
pub(super) const WINDOW: u64 = 2 << 20;
/// Bytes of progress after which a failed response does not count as a repeated failure.
const PROGRESS: u64 = 64 << 10;

type Chunk = Result<Bytes, SourceError>;

/// Kind of request, which decides what happens if the server sends the whole object instead of a
/// range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// To the end of the object. Bytes before the position are skipped.
    Whole,
    /// To the end of the object, always as a range read, to find out if the server supports them.
    /// The stream may be cut. Bytes before the position are skipped.
    Probe,
    /// A part of the object. Without range support it ends at once, and the reader falls back to
    /// one stream.
    Part,
}

/// Reading end of a stream. Dropping it cancels the download.
#[derive(Debug)]
pub(super) struct Stream {
    /// Offset of the first byte in the object.
    pub start: u64,
    chunks: UnboundedReceiver<Chunk>,
    shared: Arc<Shared>,
    current: Bytes,
    /// The error that ended the stream. Each later read returns it again, since threads read in
    /// turns.
    error: Option<Box<SourceError>>,
    /// Permits of the window that the current chunk occupies.
    occupied: usize,
    task: AbortHandle,
    /// Its share of the prefetch budget.
    _budget: Option<OwnedSemaphorePermit>,
}

/// State of both ends.
#[derive(Debug)]
struct Shared {
    /// Free bytes of the window.
    window: Semaphore,
    span: Mutex<Range<u64>>,
}

impl Shared {
    /// Returns the bytes that are not downloaded yet. Cutting the stream moves their end.
    fn span(&self) -> MutexGuard<'_, Range<u64>> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// Starts to download the bytes `span` of `object`.
    pub(super) fn fetch(
        bucket: &Arc<Bucket>,
        object: &Object,
        span: Range<u64>,
        mode: Mode,
        budget: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let (sender, chunks) = unbounded_channel();
        let start = span.start;
        let window = if mode == Mode::Part { PART } else { WINDOW };
        let window = Semaphore::new(usize::try_from(window).unwrap_or(1 << 20));
        let shared = Arc::new(Shared { window, span: Mutex::new(span) });
        let fetch = Fetch {
            bucket: Arc::clone(bucket),
            object: object.clone(),
            mode,
            shared: Arc::clone(&shared),
            sender,
        };
        let task = bucket.runtime.spawn(fetch.run()).abort_handle();
        Self {
            start,
            chunks,
            shared,
            current: Bytes::new(),
            error: None,
            occupied: 0,
            task,
            _budget: budget,
        }
    }

    /// Returns true if a read would have to wait.
    pub(super) fn keeps_waiting(&self) -> bool {
        self.current.is_empty() && self.chunks.is_empty() && !self.chunks.is_closed()
    }

    /// Ends the stream at a multiple of [`PART`], at least half a part after its position; returns
    /// that offset, or none if it is not before the end.
    pub(super) fn cut(&self) -> Option<u64> {
        let mut span = self.shared.span();
        let end = (span.start + PART / 2).next_multiple_of(PART);
        (end < span.end).then(|| {
            span.end = end;
            end
        })
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            self.shared.window.add_permits(std::mem::take(&mut self.occupied));
            match self.chunks.blocking_recv() {
                None => match &self.error {
                    None if self.shared.span().is_empty() => return Ok(0),
                    // The task was dropped, by a panic or with its runtime.
                    None => return Err(io::Error::other(super::task_ended("read"))),
                    Some(error) => return Err(io::Error::other(copy(error))),
                },
                Some(Err(error)) => {
                    self.error = Some(Box::new(copy(&error)));
                    return Err(io::Error::other(error));
                }
                Some(Ok(chunk)) => {
                    self.occupied = chunk.len();
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

/// Downloading end of a stream.
struct Fetch {
    bucket: Arc<Bucket>,
    object: Object,
    mode: Mode,
    shared: Arc<Shared>,
    sender: UnboundedSender<Chunk>,
}

impl Fetch {
    async fn run(self) {
        if let Err(error) = self.deliver().await {
            // Fails if the reader was dropped, and then no error is needed.
            let _ = self.sender.send(Err(error));
        }
    }

    /// Returns the bytes that are not downloaded yet.
    fn left(&self) -> Range<u64> {
        self.shared.span().clone()
    }

    /// Sends requests until all bytes are downloaded; retries after transient errors.
    async fn deliver(&self) -> Result<(), SourceError> {
        let mut retry = Retry::default();
        loop {
            let requested = self.left();
            if requested.is_empty() {
                return Ok(());
            }
            let mut permit = Some(self.bucket.client.limiter.acquire().await);
            let result = self.stream(&requested, &mut permit).await;
            let progress = self.left().start - requested.start;
            if progress >= PROGRESS {
                retry.reset();
            }
            let reason = match result {
                Ok(()) => {
                    if let Some(permit) = permit {
                        permit.succeeded(progress);
                    }
                    continue;
                }
                Err(error) => error.retry_reason(permit)?,
            };
            let most = self.bucket.client.most_attempts();
            retry.wait(reason, "read", &self.object.key, most).await?;
        }
    }

    fn request(&self, requested: &Range<u64>) -> ReadRequest<'_> {
        let mut headers = Vec::new();
        headers.extend(self.object.etag.as_ref().map(|etag| (IF_MATCH, etag.to_string())));
        if requested.end < self.object.size {
            headers.push((RANGE, format!("bytes={}-{}", requested.start, requested.end - 1)));
        } else if requested.start > 0 || self.mode != Mode::Whole {
            headers.push((RANGE, format!("bytes={}-", requested.start)));
        }
        ReadRequest {
            method: Method::GET,
            key: self.bucket.key_of(&self.object),
            query: String::new(),
            headers,
            doing: "read",
            location: &self.object.key,
        }
    }

    /// Sends one request, and passes the bytes of its response to the reader.
    async fn stream(
        &self,
        requested: &Range<u64>,
        permit: &mut Option<Permit>,
    ) -> Result<(), AttemptError> {
        let client = &self.bucket.client;
        let mut response = client.attempt(&self.request(requested)).await?;
        let mut skip = self.verify(&response, requested)?;
        // Without range support, bytes follow after those of the span.
        let partial = response.status() == StatusCode::PARTIAL_CONTENT;
        let end = if partial { requested.end } else { self.object.size };
        let (server, mut pace) = (client.server_name(), Pace::default());
        while !self.left().is_empty() {
            let chunk = client.chunk(&mut response, &mut pace, &server).await?;
            let chunk = chunk.ok_or_else(|| self.wrong_length("ended early"))?;
            let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= skipped as u64;
            let chunk = chunk.slice(skipped..);
            if chunk.len() as u64 > end - self.left().start {
                return Err(self.wrong_length("is too long"));
            }
            self.pass_on(chunk, permit).await;
        }
        Ok(())
    }

    fn wrong_length(&self, what: &str) -> AttemptError {
        let (at, size) = (self.left().start, self.object.size);
        AttemptError::Transient(format!("the response {what}, at byte {at} of {size}"))
    }

    /// Verifies that a response is of the listed version and of the requested range. Returns the
    /// number of bytes to skip, which the reader has already.
    fn verify(&self, response: &Response, requested: &Range<u64>) -> Result<u64, AttemptError> {
        let headers = response.headers();
        let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).and_then(quoted);
        let other = |listed: &str| etag.as_ref().is_some_and(|etag| **etag != *listed);
        if self.object.etag.as_deref().is_some_and(other) {
            return Err(self.changed());
        }
        let partial = response.status() == StatusCode::PARTIAL_CONTENT;
        let (total, skip) = match (partial, range_of(headers)) {
            (true, Some((range, total)))
                if range.start == requested.start && range.end <= requested.end =>
            {
                (Some(total), 0)
            }
            (true, _) => {
                return Err(AttemptError::Transient("the response has another range".into()));
            }
            // A server without range support sends the whole object.
            (false, _) => (length_of(headers), requested.start),
        };
        match total {
            Some(total) if total != self.object.size && self.object.etag.is_none() => {
                return Err(self.changed());
            }
            // The etag is the same, so the size cannot differ: a proxy changed the response.
            Some(total) if total != self.object.size => {
                return Err(AttemptError::Transient(format!(
                    "the response has {total} bytes, and {} were listed",
                    self.object.size
                )));
            }
            _ => {}
        }
        if self.mode != Mode::Whole {
            self.bucket.client.saw_ranges(partial);
        }
        if self.mode == Mode::Part && !partial {
            let mut span = self.shared.span();
            span.end = span.start;
        }
        Ok(skip)
    }

    fn changed(&self) -> AttemptError {
        AttemptError::Permanent(SourceError::Changed { path: self.object.key.to_string() })
    }

    /// Passes bytes to the reader, as soon as the window has space. Releases the permit before it
    /// waits, so that a slow reader does not reduce the concurrency of the others.
    async fn pass_on(&self, mut chunk: Bytes, permit: &mut Option<Permit>) {
        let most = usize::try_from(WINDOW / 2).unwrap_or(usize::MAX);
        while !chunk.is_empty() {
            let mut part = chunk.split_to(chunk.len().min(most));
            let bytes = u32::try_from(part.len()).unwrap_or(u32::MAX);
            if let Ok(space) = self.shared.window.try_acquire_many(bytes) {
                space.forget();
            } else {
                drop(permit.take());
                if let Ok(space) = self.shared.window.acquire_many(bytes).await {
                    space.forget();
                }
            }
            let mut span = self.shared.span();
            // The stream may have been cut meanwhile.
            let fits = usize::try_from(span.end - span.start).unwrap_or(usize::MAX);
            part.truncate(fits);
            span.start += part.len() as u64;
            let _ = self.sender.send(Ok(part));
        }
    }
}

/// Returns an error with the same message; `SourceError` cannot be cloned.
fn copy(error: &SourceError) -> SourceError {
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

/// Parses `bytes 5-9/10`: the range, and the size of the object.
fn range_of(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let last: u64 = last.parse().ok()?;
    Some((first.parse().ok()?..last.checked_add(1)?, total.parse().ok()?))
}
