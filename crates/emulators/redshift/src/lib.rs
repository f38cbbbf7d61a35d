//! Amazon Redshift emulator for tests: a message-level proxy in front of a PostgreSQL server.
//!
//! Clients connect as to a cluster, each with its own PostgreSQL session. The emulator rejects
//! statements that Redshift rejects, rewrites syntax that PostgreSQL spells differently, does not
//! enforce constraints that Redshift does not enforce, runs COPY from S3, and injects faults that a
//! test armed. `catalog/semantics.sql` changes the PostgreSQL catalog where functions, operators
//! and types behave differently.
//!
//! The emulator follows Amazon's documentation; it was never compared with a real cluster.
//! `docs/reference/redshift-evidence.md` lists its known limitations.
//!
//! ```no_run
//! use redshift_emulator::{Emulator, Fault, Options, When};
//!
//! let emulator = Emulator::start(Options::default()).unwrap();
//! emulator.faults().arm(When::Commit(1), Fault::Serializable);
//! println!("connect to {}", emulator.url());
//! ```

// Documentation pages are cited by their URL names, such as DG/r_COPY.html.
#![allow(clippy::doc_markdown)]
// An error report is built at most once per statement, so its size does not matter.
#![allow(clippy::result_large_err)]

mod backend;
mod behavior;
mod checker;
mod clock;
mod cluster;
mod connection;
pub mod copy;
mod data_api;
mod faults;
mod lexer;
mod listener;
mod load;
mod log;
mod options;
mod random;
mod rewrite;
mod session;
mod tls;
mod unsupported;
mod wire;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub use behavior::Behavior;
pub use faults::{Fault, Faults, When};
pub use log::{Log, Outcome, Statement};
pub use options::{Authentication, DataApiOptions, FixedPlan, Options, User};
pub use wire::Report;

use backend::Target;
use cluster::Cluster;
use data_api::Service;
use listener::Listener;

/// Error while starting an emulator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `Options::postgres` nor `SPARKIFY_TEST_POSTGRES` is set.
    #[error(
        "the emulator needs a PostgreSQL server\nhint: `scripts/postgres.sh start FOLDER`, then SPARKIFY_TEST_POSTGRES=$(cat FOLDER/url)"
    )]
    NoServer,
    /// The server's URL cannot be parsed.
    #[error(
        "invalid SPARKIFY_TEST_POSTGRES\nhint: use the form `postgres://user:password@host:port/database`"
    )]
    BadUrl,
    /// The server, the certificate or a listening port failed.
    #[error("cannot start the emulator")]
    Start(#[from] io::Error),
}

/// Running emulator. Dropping it stops the emulator and drops its database.
pub struct Emulator {
    cluster: Arc<Cluster>,
    listener: Option<Listener>,
    service: Arc<Service>,
    http_listener: Option<Listener>,
    ca_pem: String,
}

impl Emulator {
    /// Creates a database on the PostgreSQL server and starts listening.
    pub fn start(options: Options) -> Result<Self, Error> {
        let url = options.postgres.clone().or_else(|| std::env::var("SPARKIFY_TEST_POSTGRES").ok());
        let target = Target::parse(&url.ok_or(Error::NoServer)?).ok_or(Error::BadUrl)?;
        let identity = tls::identity()?;
        let port = options.port;
        let cluster = Arc::new(Cluster::create(options, target)?);
        let (for_clients, config) = (Arc::clone(&cluster), Arc::clone(&identity.config));
        let handler = move |stream| connection::serve(&for_clients, &config, stream);
        let listener = Some(Listener::open(port, Arc::new(handler))?);
        let service = Service::start(Arc::clone(&cluster));
        let for_requests = Arc::clone(&service);
        let handler = move |stream| for_requests.serve(stream);
        let http_listener = Some(Listener::open(0, Arc::new(handler))?);
        Ok(Self { cluster, listener, service, http_listener, ca_pem: identity.ca_pem })
    }

    /// Returns the first user's URL: `redshift://user:password@localhost:port/database`.
    pub fn url(&self) -> String {
        let user = &self.cluster.options.users[0];
        let (name, password, database) =
            (&user.name, &user.password, &self.cluster.options.database);
        format!("redshift://{name}:{password}@localhost:{}/{database}", self.port())
    }

    /// Returns the certificate of the authority that signed the server certificate, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Returns the port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.listener.as_ref().map_or(0, |listener| listener.port)
    }

    /// Returns the endpoint of the Data API: `http://localhost:port`.
    pub fn data_api_endpoint(&self) -> String {
        let port = self.http_listener.as_ref().map_or(0, |listener| listener.port);
        format!("http://localhost:{port}")
    }

    /// Returns the names of all Data API operations called so far, in order.
    pub fn data_api_calls(&self) -> Vec<String> {
        self.service.calls()
    }

    /// Omits the last COPY from the load views in the next `reads` statements that query them.
    ///
    /// System tables are not transactional (DG/c_serial_isolation.html), so a cluster may write
    /// their rows after COPY returns.
    pub fn delay_load_views(&self, reads: u32) {
        self.cluster.load_views.delayed_reads.store(reads, Ordering::Relaxed);
    }

    /// Shows the last COPY as running in the next `reads` statements that query the load views and
    /// do not omit it.
    pub fn show_loads_as_running(&self, reads: u32) {
        self.cluster.load_views.running_reads.store(reads, Ordering::Relaxed);
    }

    /// Returns the number of open Data API sessions.
    pub fn data_api_sessions(&self) -> usize {
        self.service.sessions()
    }

    /// Throttles the next `calls` calls of the Data API.
    pub fn throttle_data_api(&self, calls: u32) {
        self.service.throttled.store(calls, Ordering::Relaxed);
    }

    /// Fails the next `calls` calls of the Data API with an internal error.
    pub fn fail_data_api(&self, calls: u32) {
        self.service.failing.store(calls, Ordering::Relaxed);
    }

    /// Refuses the next `statements` of sessions of the Data API as if the session was busy.
    pub fn keep_data_api_busy(&self, statements: u32) {
        self.service.keep_busy("", statements);
    }

    /// Refuses the next `statements` that contain `text` in the same way.
    pub fn keep_data_api_busy_for(&self, text: &str, statements: u32) {
        self.service.keep_busy(text, statements);
    }

    /// Refuses the next `calls` of the Data API that wait for the end of a running statement.
    pub fn refuse_data_api_waits(&self, calls: u32) {
        self.service.refused_waits.store(calls, Ordering::Relaxed);
    }

    /// Closes all sessions of the Data API, as the service does when it reclaims them.
    pub fn close_data_api_sessions(&self) {
        self.service.close_sessions();
    }

    /// Returns the options that the emulator was started with.
    pub fn options(&self) -> &Options {
        &self.cluster.options
    }

    /// Returns the fault injection of this emulator.
    pub fn faults(&self) -> &Faults {
        &self.cluster.faults
    }

    /// Returns the log of the statements that clients sent.
    pub fn log(&self) -> &Log {
        &self.cluster.log
    }

    /// Issues temporary credentials as `GetClusterCredentials` does.
    ///
    /// Returns the name `IAM:user` and a password that expires after `lifetime`.
    pub fn temporary_credentials(&self, user: &str, lifetime: Duration) -> (String, String) {
        self.cluster.issue_credentials(user, lifetime)
    }

    /// Pauses the cluster: closes every connection and refuses new ones.
    pub fn pause(&self) {
        if let Some(listener) = &self.listener {
            listener.pause();
        }
        self.cluster.close_connections();
    }

    /// Resumes a paused cluster on the same port.
    pub fn resume(&self) -> io::Result<()> {
        self.listener.as_ref().map_or(Ok(()), Listener::resume)
    }

    /// Closes every connection, as a restart of the cluster does.
    pub fn cut_connections(&self) {
        self.cluster.close_connections();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.listener = None;
        self.http_listener = None;
        self.cluster.close_connections();
        self.cluster.drop_database();
    }
}
