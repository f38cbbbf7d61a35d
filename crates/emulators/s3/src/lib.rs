//! In-memory S3 server over HTTP for tests, with verified signatures and fault injection.
//!
//! A [`Server`] starts with one bucket, [`BUCKET`], and one key pair, [`KEY`] and [`SECRET`]; tests
//! can add more. It supports GET with ranges and conditions, HEAD, paginated listings, PUT,
//! multipart uploads, and DELETE of one or many objects.
//!
//! Tests control it without relying on time:
//! - [`Server::fail`] injects a [`Fault`] into a number of matching requests.
//! - [`Server::hold`] holds matching requests, before they have an effect, until the test releases
//!   them; [`Server::hold_until`] until a number of them are waiting at once.
//! - [`Server::require_parallel`] withholds the bytes of an object until a number of its downloads
//!   are active at once.
//! - The request log and the counters of [`Transfers`] show the behavior of a client.

mod access;
mod fault;
mod hold;
mod listener;
mod listing;
mod multipart;
mod protocol;
mod state;
mod transfer;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;

pub use fault::Fault;
pub use state::{State, StoredObject};
pub use transfer::{TRICKLE, Transfers};

/// Bucket that every server has.
pub const BUCKET: &str = "bucket";
/// ID of the access key that every server accepts.
pub const KEY: &str = "KEYOFTHETESTS";
/// Secret of [`KEY`].
pub const SECRET: &str = "the+secret/of=the+tests";

/// Running server; dropping it stops it.
pub struct Server {
    /// Listening address.
    pub address: SocketAddr,
    /// Objects and configuration.
    pub state: Arc<State>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// # Panics
    /// If the system has no thread or port left.
    #[must_use]
    pub fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads");
        let state = Arc::new(State::new());
        state.add_bucket(BUCKET);
        state.add_key(KEY, SECRET);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(listener::accept(listener, Arc::clone(&state)));
        Self { address, state, runtime: Some(runtime) }
    }

    /// Returns the endpoint URL for clients.
    pub fn endpoint(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// Puts an object into [`BUCKET`].
    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.put_in(BUCKET, key, bytes);
    }

    /// Puts an object into a bucket, which is created if necessary.
    pub fn put_in(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) {
        self.state.add_bucket(bucket);
        self.state.put(bucket, key, bytes.into());
    }

    /// Returns the content of an object of [`BUCKET`].
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.get_in(BUCKET, key)
    }

    /// Returns the content of an object.
    pub fn get_in(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.state.object(bucket, key).map(|object| object.bytes)
    }

    /// Removes an object of [`BUCKET`].
    pub fn remove(&self, key: &str) {
        self.state.remove(BUCKET, key);
    }

    /// Returns all keys of a bucket in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.state.keys(bucket)
    }

    /// Delays every response.
    ///
    /// # Panics
    /// If the delay has more than 2^64 microseconds.
    pub fn set_latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).expect("a latency in u64");
        self.state.latency.store(micros, Ordering::Relaxed);
    }

    /// Limits the bandwidth of every single download, in bytes per second; 0 is no limit.
    pub fn limit_bandwidth(&self, rate: u64) {
        self.state.bandwidth.store(rate, Ordering::Relaxed);
    }

    /// Returns the download counters of an object of [`BUCKET`].
    pub fn transfers(&self, key: &str) -> Transfers {
        self.state.transfers.lock().counters(&path_of(key))
    }

    /// Blocks until the download counters of an object of [`BUCKET`] satisfy a condition.
    ///
    /// # Panics
    /// If that takes longer than two minutes.
    pub fn wait_for_transfers(&self, key: &str, condition: impl Fn(Transfers) -> bool) {
        let path = path_of(key);
        self.state.transfers.wait_until(
            |transfers| condition(transfers.counters(&path)),
            |transfers| format!("transfers of {path}: {:?}", transfers.counters(&path)),
        );
    }

    /// Withholds the bytes of an object of [`BUCKET`] until `downloads` downloads of it are active
    /// at once.
    ///
    /// Until then the first download gets [`TRICKLE`] bytes for each active one, and the others get
    /// nothing: a client that reads the first one has to wait after each trickle. Then all
    /// downloads flow, the first one only up to the byte where another one begins.
    pub fn require_parallel(&self, key: &str, downloads: usize) {
        self.state.transfers.update(|transfers| transfers.require(path_of(key), downloads));
    }

    /// Holds all later requests that match `pattern`, before they have an effect, until
    /// [`Server::release`]. For the syntax of patterns see [`Server::fail`].
    pub fn hold(&self, pattern: &str) {
        self.hold_until(pattern, 0, usize::MAX);
    }

    /// Lets `skipped` requests that match `pattern` pass, and holds later ones until `waiting` of
    /// them are waiting at once. Then it releases all.
    pub fn hold_until(&self, pattern: &str, skipped: usize, waiting: usize) {
        self.state.holds.update(|holds| holds.add(pattern, skipped, waiting));
    }

    /// Blocks until `count` requests are held.
    ///
    /// # Panics
    /// If that takes longer than two minutes.
    pub fn wait_for_held(&self, count: usize) {
        self.state.holds.wait_until(
            |holds| holds.waiting() >= count,
            |holds| format!("{} of {count} requests are held", holds.waiting()),
        );
    }

    /// Blocks until the clients of all held requests have disconnected, for example because a test
    /// killed them. The requests have no effect then.
    ///
    /// # Panics
    /// If that takes longer than two minutes.
    pub fn wait_until_none_held(&self) {
        self.state.holds.wait_until(
            |holds| holds.waiting() == 0,
            |holds| format!("{} requests are held", holds.waiting()),
        );
    }

    /// Ends all holds, and lets the held requests pass.
    pub fn release(&self) {
        self.state.holds.update(hold::Holds::clear);
    }

    /// Injects `fault` into the next `times` requests that match `pattern`.
    ///
    /// The pattern is a part of a line of the request log, see [`Server::take_requests`]; a `*` in
    /// it matches any text.
    pub fn fail(&self, pattern: &str, fault: Fault, times: usize) {
        self.state.faults().push((pattern.to_owned(), fault, times));
    }

    /// Removes all faults that are left.
    pub fn clear_faults(&self) {
        self.state.faults().clear();
    }

    /// Returns the number of injected faults that have not happened yet.
    pub fn faults_left(&self) -> usize {
        self.state.faults().iter().map(|(_, _, times)| times).sum()
    }

    /// Returns the request log and clears it. A line has the method, path and query, then the
    /// headers `range`, `if-match` and `if-none-match` that were sent.
    ///
    /// # Panics
    /// If a thread of the server panicked.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.log.lock().expect("a lock"))
    }

    /// Returns the number of multipart uploads that were neither completed nor aborted.
    pub fn open_uploads(&self) -> usize {
        self.state.uploads().len()
    }
}

fn path_of(key: &str) -> String {
    format!("/{BUCKET}/{key}")
}
