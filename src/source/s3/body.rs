//! An object's bytes on their way: a task fetches them, a reader takes them, and no more than a window of them waits in between.
//!
//! What arrives is held against what was listed: the etag by `If-Match` and by the answer's own, the size by its header and by counting. A body that
//! breaks off is asked for again from where it broke; so a reader gets the object whole, or an error.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_MATCH, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::limiter::Permit;
use super::request::Ask;
use super::retry::{Tries, Trouble, of_transport};
use super::{Bucket, quoted};
use crate::source::{Object, SourceError};

/// Bytes of one object that may wait for its reader.
pub(super) const WINDOW: u64 = 2 << 20;
/// A body that gave so many bytes since it last broke has not broken in a row.
const WORTH: u64 = 64 << 10;

type Chunk = Result<Bytes, SourceError>;

/// The reader's end. Dropping it ends the fetching.
#[derive(Debug)]
pub(in crate::source) struct Body {
    chunks: UnboundedReceiver<Chunk>,
    window: Arc<Semaphore>,
    current: Bytes,
    /// How much of the window what was taken out holds still.
    taken: usize,
    task: AbortHandle,
    /// Its part of what may be fetched ahead.
    _budget: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// Begins to fetch `object` from its byte `start` on.
    pub(super) fn fetch(
        bucket: &Arc<Bucket>,
        object: &Object,
        start: u64,
        budget: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let (sender, chunks) = unbounded_channel();
        let window = Arc::new(Semaphore::new(usize::try_from(WINDOW).unwrap_or(1 << 20)));
        let fetch = Fetch {
            bucket: Arc::clone(bucket),
            object: object.clone(),
            at: start,
            window: Arc::clone(&window),
            sender,
        };
        let task = bucket.runtime.spawn(fetch.run()).abort_handle();
        Self { chunks, window, current: Bytes::new(), taken: 0, task, _budget: budget }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            self.window.add_permits(std::mem::take(&mut self.taken));
            match self.chunks.blocking_recv() {
                None => return Ok(0),
                Some(Err(error)) => return Err(io::Error::other(error)),
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

impl Drop for Body {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The fetching end.
struct Fetch {
    bucket: Arc<Bucket>,
    object: Object,
    /// What the reader has, or has on its way.
    at: u64,
    window: Arc<Semaphore>,
    sender: UnboundedSender<Chunk>,
}

impl Fetch {
    async fn run(mut self) {
        if let Err(error) = self.deliver().await {
            // A reader that is gone needs no error.
            let _ = self.sender.send(Err(error));
        }
    }

    async fn deliver(&mut self) -> Result<(), SourceError> {
        let mut tries = Tries::default();
        while self.at < self.object.size {
            let began = self.at;
            let mut permit = Some(self.bucket.client.limiter.enter().await);
            let result = self.stream(&mut permit).await;
            let came = self.at - began;
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
        Ok(())
    }

    /// One request: hands on what it gives, up to the object's end.
    async fn stream(&mut self, permit: &mut Option<Permit>) -> Result<(), Trouble> {
        let bucket = Arc::clone(&self.bucket);
        let client = &bucket.client;
        let (key, mut headers) = (bucket.key_of(&self.object), Vec::new());
        headers.extend(self.object.etag.as_ref().map(|etag| (IF_MATCH, etag.to_string())));
        if self.at > 0 {
            headers.push((RANGE, format!("bytes={}-", self.at)));
        }
        let ask = Ask {
            method: Method::GET,
            key,
            query: String::new(),
            headers,
            doing: "read",
            location: &self.object.key,
        };
        let mut response = client.attempt(&ask).await?;
        let mut skip = self.compared(&response)?;
        let server = client.server_name();
        while self.at < self.object.size {
            let chunk = match timeout(client.limits.read_timeout, response.chunk()).await {
                Err(_) => return Err(client.silence(&server)),
                Ok(Err(error)) => return Err(of_transport(error, &server, true)),
                Ok(Ok(None)) => return Err(self.wrong_length("broke off")),
                Ok(Ok(Some(chunk))) => chunk,
            };
            let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= passed as u64;
            let chunk = chunk.slice(passed..);
            if chunk.len() as u64 > self.object.size - self.at {
                return Err(self.wrong_length("went on too long"));
            }
            self.hand_on(chunk, permit).await;
        }
        Ok(())
    }

    fn wrong_length(&self, what: &str) -> Trouble {
        let (at, size) = (self.at, self.object.size);
        Trouble::Passing(format!("the answer {what}, at byte {at} of {size}"))
    }

    /// Whether the answer is about what was listed; how many of its bytes the reader has already.
    fn compared(&self, response: &Response) -> Result<u64, Trouble> {
        let headers = response.headers();
        let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).and_then(quoted);
        let other = |listed: &str| etag.as_ref().is_some_and(|etag| **etag != *listed);
        if self.object.etag.as_deref().is_some_and(other) {
            return Err(self.changed());
        }
        let partial = response.status() == StatusCode::PARTIAL_CONTENT;
        let (total, skip) = match (partial, range_of(headers)) {
            (true, Some((start, total))) if start == self.at => (Some(total), 0),
            (true, _) => return Err(Trouble::Passing("the answer has another range".into())),
            // A server that knows no ranges sends the whole.
            (false, _) => (length_of(headers), self.at),
        };
        match total {
            Some(total) if total != self.object.size && self.object.etag.is_none() => {
                Err(self.changed())
            }
            // The same version cannot have another size: something between here and the store is wrong.
            Some(total) if total != self.object.size => Err(Trouble::Passing(format!(
                "the answer says {total} bytes, and {} were listed",
                self.object.size
            ))),
            _ => Ok(skip),
        }
    }

    fn changed(&self) -> Trouble {
        Trouble::Final(SourceError::Changed { path: self.object.key.to_string() })
    }

    /// Waits until there is room. A reader that is behind must not hold the place of a request.
    async fn hand_on(&mut self, mut chunk: Bytes, permit: &mut Option<Permit>) {
        let most = usize::try_from(WINDOW / 2).unwrap_or(usize::MAX);
        while !chunk.is_empty() {
            let part = chunk.split_to(chunk.len().min(most));
            let bytes = u32::try_from(part.len()).unwrap_or(u32::MAX);
            if let Ok(room) = self.window.try_acquire_many(bytes) {
                room.forget();
            } else {
                drop(permit.take());
                if let Ok(room) = self.window.acquire_many(bytes).await {
                    room.forget();
                }
            }
            self.at += part.len() as u64;
            let _ = self.sender.send(Ok(part));
        }
    }
}

fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `bytes 5-9/10`: where the range begins, and the size of the whole.
fn range_of(headers: &HeaderMap) -> Option<(u64, u64)> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}
