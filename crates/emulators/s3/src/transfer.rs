//! Downloads of objects: counters, bandwidth limits, and withheld bytes.
//!
//! A connection to a real store has a limited bandwidth, whatever other connections do. So each
//! download has its own limit, and a client gets more by downloading in parallel.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::Frame;
use hyper::header::CONTENT_LENGTH;
use s3s::Body;
use tokio::time::{Instant, sleep_until};

use crate::state::State;

/// Largest frame where the bandwidth is limited.
const FRAME: usize = 32 << 10;
/// Least number of frames per second where the bandwidth is limited.
const FRAMES: u64 = 10;
/// Bytes of the first download of an object for each active one, while
/// [`crate::Server::require_parallel`] withholds the others.
pub const TRICKLE: u64 = 64 << 10;

/// Download counters of one object.
#[derive(Debug, Default, Clone, Copy)]
pub struct Transfers {
    /// Downloads from the arrival of the request to the last byte of the response.
    pub active: usize,
    /// Highest number of downloads that were active at once.
    pub max_active: usize,
    /// Bytes of all responses.
    pub bytes: u64,
}

/// Downloads that must be active at once before they get their bytes.
#[derive(Debug)]
struct Parallel {
    required: usize,
    /// Downloads in the order of their requests. A client may retry a download, which then is
    /// another one.
    downloads: Vec<Download>,
    /// True once the required number was active.
    released: bool,
}

#[derive(Debug, Clone, Copy)]
struct Download {
    /// First byte.
    start: u64,
    active: bool,
    /// True for the first download, and for a retry of it.
    is_first: bool,
}

impl Parallel {
    fn begin(&mut self, start: u64) -> usize {
        let is_first = self.active().all(|other| other >= start);
        self.downloads.push(Download { start, active: true, is_first });
        self.released |= self.active().count() >= self.required;
        self.downloads.len() - 1
    }

    fn active(&self) -> impl Iterator<Item = u64> {
        self.downloads.iter().filter(|download| download.active).map(|download| download.start)
    }

    /// Returns how many bytes the download with this number may get.
    fn allowance(&self, number: usize) -> u64 {
        let Some(&Download { start, active: true, is_first }) = self.downloads.get(number) else {
            return u64::MAX;
        };
        if !self.released {
            return if is_first { TRICKLE * self.active().count() as u64 } else { 0 };
        }
        if number > 0 {
            return u64::MAX;
        }
        // The client shortens the first download when it begins another one. Bytes beyond that
        // point would only fill the buffers of the connection.
        let others = self.downloads.iter().map(|download| download.start);
        let next = others.filter(|other| *other > start).min();
        next.map_or(u64::MAX, |next| next - start)
    }
}

/// Downloads of all objects, by path.
#[derive(Debug, Default)]
pub(crate) struct AllTransfers {
    counters: BTreeMap<String, Transfers>,
    parallel: BTreeMap<String, Parallel>,
}

impl AllTransfers {
    pub(crate) fn counters(&self, path: &str) -> Transfers {
        self.counters.get(path).copied().unwrap_or_default()
    }

    pub(crate) fn require(&mut self, path: String, required: usize) {
        self.parallel.insert(path, Parallel { required, downloads: Vec::new(), released: false });
    }

    /// Drops the requirement after too long a wait: the assertions of the test will fail then.
    fn give_up(&mut self, path: &str) {
        self.parallel.remove(path);
    }

    /// Counts a download. Returns its number among the parallel ones, if the path requires them.
    fn begin(&mut self, path: &str, start: u64) -> Option<usize> {
        let counters = self.counters.entry(path.to_owned()).or_default();
        counters.active += 1;
        counters.max_active = counters.max_active.max(counters.active);
        Some(self.parallel.get_mut(path)?.begin(start))
    }

    fn end(&mut self, path: &str, number: Option<usize>) {
        let parallel = self.parallel.get_mut(path);
        if let Some((parallel, number)) = parallel.zip(number) {
            parallel.downloads[number].active = false;
        }
        if let Some(counters) = self.counters.get_mut(path) {
            counters.active -= 1;
        }
    }

    fn count_bytes(&mut self, path: &str, bytes: usize) {
        if let Some(counters) = self.counters.get_mut(path) {
            counters.bytes += bytes as u64;
        }
    }

    fn allowance(&self, path: &str, number: Option<usize>) -> u64 {
        let limited = number.and_then(|number| Some((self.parallel.get(path)?, number)));
        limited.map_or(u64::MAX, |(parallel, number)| parallel.allowance(number))
    }
}

/// Download of an object, from the arrival of its request.
pub(crate) struct Transfer {
    state: Arc<State>,
    path: String,
    /// Number among the parallel downloads of the object, if it requires them.
    number: Option<usize>,
    active: bool,
}

impl Transfer {
    /// Counts the download of `path` from the byte `start`.
    pub(crate) fn begin(state: &Arc<State>, path: &str, start: u64) -> Self {
        let number = state.transfers.update(|transfers| transfers.begin(path, start));
        Self { state: Arc::clone(state), path: path.to_owned(), number, active: true }
    }

    /// Attaches the download to the body of its response, which limits and counts the bytes.
    pub(crate) fn attach(self, response: Response<Body>) -> Response<Body> {
        let rate = self.state.bandwidth.load(Ordering::Relaxed);
        let length = response.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        response.map(|body| {
            let (rest, began) = (Bytes::new(), Instant::now());
            let wait = None;
            Body::http_body(Metered {
                body,
                rest,
                rate,
                length,
                began,
                sent: 0,
                wait,
                transfer: self,
            })
        })
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.active) {
            let number = self.number;
            self.state.transfers.update(|transfers| transfers.end(&self.path, number));
        }
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Wait before the next frame.
type Wait = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// Body of a download.
struct Metered {
    body: Body,
    /// Bytes of `body` that were not sent yet.
    rest: Bytes,
    /// Bytes per second; 0 is no limit.
    rate: u64,
    /// Length of the response according to its header.
    length: Option<u64>,
    began: Instant,
    sent: u64,
    wait: Option<Wait>,
    transfer: Transfer,
}

impl Metered {
    /// Returns how many bytes may be sent now; 0 if [`Metered::wait`] is set.
    fn allowed(&mut self) -> u64 {
        let Transfer { state, path, number, .. } = &self.transfer;
        let allowance = state.transfers.lock().allowance(path, *number);
        let allowed = allowance.saturating_sub(self.sent);
        if allowed == 0 {
            let (state, path, number, sent) = (Arc::clone(state), path.clone(), *number, self.sent);
            self.wait = Some(Box::pin(async move {
                let more = |transfers: &mut AllTransfers| {
                    (transfers.allowance(&path, number) > sent).then_some(())
                };
                if state.transfers.when(more).await.is_none() {
                    state.transfers.update(|transfers| transfers.give_up(&path));
                }
            }));
        }
        allowed
    }
}

impl hyper::body::Body for Metered {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(context));
                self.wait = None;
            }
            while self.rest.is_empty() {
                let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                    Some(Ok(frame)) => frame,
                    Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                    None => return Poll::Ready(None),
                };
                match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                }
            }
            let allowed = usize::try_from(self.allowed()).unwrap_or(usize::MAX);
            if allowed > 0 {
                return Poll::Ready(Some(Ok(Frame::data(self.next_piece(allowed)))));
            }
        }
    }
}

impl Metered {
    /// Takes the next piece of at most `allowed` bytes, and schedules the following one.
    fn next_piece(&mut self, allowed: usize) -> Bytes {
        let frame = match usize::try_from(self.rate / FRAMES) {
            Ok(_) if self.rate == 0 => usize::MAX,
            least => least.unwrap_or(FRAME).clamp(1, FRAME),
        };
        let piece = self.rest.split_to(self.rest.len().min(frame).min(allowed));
        self.sent += piece.len() as u64;
        let Transfer { state, path, .. } = &self.transfer;
        state.transfers.update(|transfers| transfers.count_bytes(path, piece.len()));
        if let Some(micros) = (self.sent * 1_000_000).checked_div(self.rate) {
            let due = self.began + Duration::from_micros(micros);
            self.wait = Some(Box::pin(sleep_until(due)));
        }
        // Ends before the client can have the last byte: it may begin the next download then, and
        // the two must not count as active at once.
        if self.length.is_some_and(|length| self.sent >= length) {
            self.transfer.end();
        }
        piece
    }
}
