//! Amazon Redshift's manners in front of a real PostgreSQL server, for tests.
//!
//! A message-level proxy: clients connect as to a cluster, each to a PostgreSQL session of its own. What Redshift refuses is refused, what it
//! spells differently is rewritten, what it does not enforce is not enforced, COPY reads objects from S3, and faults strike when a test asks.
//! What PostgreSQL can be taught lies in `catalog/manners.sql`. It shows what the documentation says, not what a real cluster does: what it
//! does not play is listed in `docs/redshift-evidence.md`.
//!
//! ```no_run
//! use redshift_emulator::{Fault, Options, Emulator, When};
//!
//! let emulator = Emulator::start(Options::default()).unwrap();
//! emulator.faults().arm(When::Commit(1), Fault::Serializable);
//! println!("connect to {}", emulator.url());
//! ```

// Pages of the documentation are named as their addresses have them.
#![allow(clippy::doc_markdown)]
// A refusal is an answer like any other, and made once a statement.
#![allow(clippy::result_large_err)]

mod backend;
mod clock;
mod connection;
pub mod copy;
mod data_api;
mod entrance;
mod faults;
mod house;
mod lexer;
mod listener;
mod load;
mod log;
mod manners;
mod options;
mod random;
mod rewrite;
mod session;
mod tls;
mod wire;
mod without;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub use faults::{Fault, Faults, When};
pub use log::{Log, Outcome, Statement};
pub use options::{Authentication, DataApi, Options, User};
pub use wire::Report;
pub use without::Manner;

use backend::Target;
use data_api::Service;
use house::House;
use listener::Listener;

/// An emulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server was named.
    #[error(
        "the emulator needs a PostgreSQL server\nhint: `scripts/postgres.sh start FOLDER`, then SPARKIFY_TEST_POSTGRES=$(cat FOLDER/url)"
    )]
    NoServer,
    /// What was named is no server.
    #[error(
        "SPARKIFY_TEST_POSTGRES is not of the form `postgres://user:password@host:port/database`"
    )]
    BadUrl,
    /// Something failed while starting.
    #[error("the emulator does not start")]
    Start(#[from] io::Error),
}

/// A running emulator; it stops, and its database goes, when this is dropped.
pub struct Emulator {
    house: Arc<House>,
    listener: Option<Listener>,
    service: Arc<Service>,
    http: Option<Listener>,
    ca_pem: String,
}

impl Emulator {
    /// Starts one.
    pub fn start(options: Options) -> Result<Self, Error> {
        let url = options.postgres.clone().or_else(|| std::env::var("SPARKIFY_TEST_POSTGRES").ok());
        let target = Target::parse(&url.ok_or(Error::NoServer)?).ok_or(Error::BadUrl)?;
        let identity = tls::identity()?;
        let port = options.port;
        let house = Arc::new(House::build(options, target)?);
        let (shared, config) = (Arc::clone(&house), Arc::clone(&identity.config));
        let handler = move |stream| connection::serve(&shared, &config, stream);
        let listener = Some(Listener::open(port, Arc::new(handler))?);
        let service = Service::start(Arc::clone(&house));
        let served = Arc::clone(&service);
        let http = Some(Listener::open(0, Arc::new(move |stream| served.serve(stream)))?);
        Ok(Self { house, listener, service, http, ca_pem: identity.ca_pem })
    }

    /// Where the first user connects, with the password: `redshift://user:password@localhost:port/database`.
    pub fn url(&self) -> String {
        let user = &self.house.options.users[0];
        let (name, password, database) = (&user.name, &user.password, &self.house.options.database);
        format!("redshift://{name}:{password}@localhost:{}/{database}", self.port())
    }

    /// The authority that signed its certificate, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.listener.as_ref().map_or(0, |listener| listener.port)
    }

    /// Where the Data API listens: `http://localhost:port`.
    pub fn data_api_endpoint(&self) -> String {
        format!("http://localhost:{}", self.http.as_ref().map_or(0, |http| http.port))
    }

    /// The operations of the Data API that were called so far.
    pub fn data_api_calls(&self) -> Vec<String> {
        self.service.calls()
    }

    /// The next times that the load views are asked, they lack what the last COPY left.
    pub fn delay_notes(&self, times: u32) {
        self.house.loads.late.store(times, Ordering::Relaxed);
    }

    /// How many sessions of the Data API are alive.
    pub fn data_api_sessions(&self) -> usize {
        self.service.sessions()
    }

    /// Throttles the next calls of the Data API.
    pub fn throttle_data_api(&self, calls: u32) {
        self.service.throttled.store(calls, Ordering::Relaxed);
    }

    /// Fails the next calls of the Data API with an internal error.
    pub fn fail_data_api(&self, calls: u32) {
        self.service.failing.store(calls, Ordering::Relaxed);
    }

    /// What it was started with.
    pub fn options(&self) -> &Options {
        &self.house.options
    }

    /// Faults to arm.
    pub fn faults(&self) -> &Faults {
        &self.house.faults
    }

    /// What clients sent.
    pub fn log(&self) -> &Log {
        &self.house.log
    }

    /// Temporary credentials of a user, as `GetClusterCredentials` gives them: `IAM:name` and a password that is valid so long.
    pub fn temporary_credentials(&self, user: &str, lifetime: Duration) -> (String, String) {
        self.house.issue(user, lifetime)
    }

    /// Pauses the cluster: every connection is cut, and new ones are refused.
    pub fn pause(&self) {
        if let Some(listener) = &self.listener {
            listener.pause();
        }
        self.house.cut_all();
    }

    /// Resumes it, on the same port.
    pub fn resume(&self) -> io::Result<()> {
        self.listener.as_ref().map_or(Ok(()), Listener::resume)
    }

    /// Cuts every connection, as when a cluster restarts.
    pub fn cut_connections(&self) {
        self.house.cut_all();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.listener = None;
        self.http = None;
        self.house.cut_all();
        self.house.demolish();
    }
}
