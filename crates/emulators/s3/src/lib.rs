//! Buckets in memory behind real HTTP: signatures are verified, and everything that goes wrong between here and a store can be asked for.
//!
//! A [`Server`] begins with one bucket, [`BUCKET`], and one key pair, [`KEY`] and [`SECRET`]; more of both may be added. It answers what loaders use:
//! GET with ranges and conditions, HEAD, listings by page, PUT whole or in parts, DELETE of one or many. A [`Fault`] is asked for by a part of a URL and
//! counts down, so that a test can see that it happened; every request is noted.

mod door;
mod fault;
mod listing;
mod protocol;
mod state;
mod traffic;
mod uploads;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;

pub use fault::Fault;
pub use state::{State, Stored};
pub use traffic::Traffic;

/// The bucket that is always there.
pub const BUCKET: &str = "bucket";
/// The key that may always sign.
pub const KEY: &str = "KEYOFTHETESTS";
/// What it signs with.
pub const SECRET: &str = "the+secret/of=the+tests";

/// A running server; dropping it ends it.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it holds, and how it behaves.
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
    /// Begins to serve on a free port of this machine.
    ///
    /// # Panics
    /// When this machine has no thread or port left.
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
        runtime.spawn(wire::accept(listener, Arc::clone(&state)));
        Self { address, state, runtime: Some(runtime) }
    }

    /// The URL that a client is given.
    pub fn endpoint(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// Puts an object into [`BUCKET`].
    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.put_in(BUCKET, key, bytes);
    }

    /// Puts an object into a bucket, which is made if it is not there.
    pub fn put_in(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) {
        self.state.add_bucket(bucket);
        self.state.put(bucket, key, bytes.into());
    }

    /// What an object of [`BUCKET`] holds.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.get_in(BUCKET, key)
    }

    /// What an object of a bucket holds.
    pub fn get_in(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.state.stored(bucket, key).map(|stored| stored.bytes)
    }

    /// Removes an object of [`BUCKET`].
    pub fn remove(&self, key: &str) {
        self.state.remove(BUCKET, key);
    }

    /// Every key of a bucket, in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.state.keys(bucket)
    }

    /// Each answer comes so much later.
    ///
    /// # Panics
    /// When that is longer than anybody waits.
    pub fn delay(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).expect("a short while");
        self.state.latency.store(micros, Ordering::Relaxed);
    }

    /// Each answer gives an object's bytes so fast, in bytes a second; 0 is no limit.
    pub fn throttle(&self, rate: u64) {
        self.state.bandwidth.store(rate, Ordering::Relaxed);
    }

    /// What was asked of an object of [`BUCKET`] since it was put there first.
    pub fn traffic(&self, key: &str) -> Traffic {
        self.state.traffic().get(&format!("/{BUCKET}/{key}")).copied().unwrap_or_default()
    }

    /// The next `times` requests go wrong that, as [`Server::requested`] tells them, have `part` in them; a `*` in it is anything.
    pub fn fail(&self, part: &str, fault: Fault, times: usize) {
        self.state.faults().push((part.to_owned(), fault, times));
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        self.state.faults().clear();
    }

    /// How many faults were asked for and did not happen.
    pub fn faults_left(&self) -> usize {
        self.state.faults().iter().map(|(_, _, times)| times).sum()
    }

    /// What was requested since the last time: method, path and query, then the headers `range`, `if-match` and `if-none-match`, where they were sent.
    ///
    /// # Panics
    /// When a thread of the server has died.
    pub fn requested(&self) -> Vec<String> {
        std::mem::take(&mut self.state.log.lock().expect("a lock"))
    }

    /// Uploads in parts that were neither completed nor aborted: a client that cares leaves none.
    pub fn uploads_open(&self) -> usize {
        self.state.uploads().len()
    }
}
