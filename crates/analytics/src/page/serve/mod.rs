//! HTTP server for the live page, for one local user.
//!
//! It listens only on 127.0.0.1 and has three endpoints. `guard` authorizes requests, `routes`
//! handles them, `work` runs queries. The warehouse is opened per request and closed again, so that
//! loads can run in between. Head, body, duration and number of connections are limited, so that a
//! slow or hostile client cannot exhaust the process.

mod file_access;
mod guard;
mod routes;
mod work;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sparkify_warehouse::Connector;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use routes::Site;

/// Default port; any free port is used if it is taken.
const PORT: u16 = 8750;
/// Most open connections; further ones wait in the listen queue.
const CONNECTIONS: usize = 64;
/// Most bytes of a request head.
const HEAD: usize = 16 << 10;
/// Most headers of a request.
const HEADERS: usize = 64;
/// Timeout for reading a head, and for an idle connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest duration of a connection; browsers reconnect.
const LIFE: Duration = Duration::from_mins(5);
/// Time for responses in progress at shutdown.
const FAREWELL: Duration = Duration::from_secs(1);

/// Options of the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port to listen on; `None` for the default or any free port.
    pub port: Option<u16>,
    /// Timeout of a statement of the SQL editor, in seconds.
    pub seconds: u64,
    /// Most rows of its result.
    pub rows: usize,
}

/// Errors of starting the server.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The port is in use or not permitted.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// Requested port.
        port: u16,
        /// Error of the operating system.
        #[source]
        cause: io::Error,
    },
    /// Threads or random numbers are not available.
    #[error("cannot start the server")]
    Start(#[source] io::Error),
}

impl ServeError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => Some("omit `--port`, or use `--port 0`, for a free port".into()),
            Self::Start(_) => None,
        }
    }
}

/// Server that is bound to its port.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Arc<Site>,
}

/// Handle that stops a server from another thread.
#[derive(Debug, Clone)]
pub struct Stopper(watch::Sender<bool>);

impl Default for Stopper {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stopper {
    /// Stops the server. Further calls have no effect.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Binds the port of a server for the warehouse of `connector`.
    pub fn bind(connector: Arc<dyn Connector>, options: &Options) -> Result<Self, ServeError> {
        let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match options.port {
            Some(port) => listen(port).map_err(|cause| ServeError::Listen { port, cause }),
            None => listen(PORT)
                .or_else(|_| listen(0))
                .map_err(|cause| ServeError::Listen { port: PORT, cause }),
        }?;
        listener.set_nonblocking(true).map_err(ServeError::Start)?;
        let address = listener.local_addr().map_err(ServeError::Start)?;
        let site = Site::new(connector, options, address.port()).map_err(ServeError::Start)?;
        Ok(Self { listener, address, site: Arc::new(site) })
    }

    /// Returns the URL of the page. Its key opens the page to everybody who can connect to this
    /// machine, so it must not be in a command line or a file that others can read.
    pub fn url(&self) -> String {
        format!("http://{}/?key={}", self.address, self.site.key())
    }

    /// Serves until it is stopped.
    pub fn run(self, stopper: &Stopper) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(ServeError::Start)?;
        let site = Arc::clone(&self.site);
        let ended = runtime.block_on(accept(self.listener, site, stopper.0.subscribe()));
        self.site.shut_down();
        runtime.shutdown_timeout(FAREWELL);
        ended.map_err(ServeError::Start)
    }
}

async fn accept(
    listener: TcpListener,
    site: Arc<Site>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await.map_err(io::Error::other)?;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            // Most likely out of file descriptors: wait for other connections to close.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (site, stop) = (Arc::clone(&site), stop.clone());
        tokio::spawn(async move {
            serve_connection(stream, site, stop).await;
            drop(permit);
        });
    }
    // All permits are available once every connection has closed.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = timeout(FAREWELL, permits.acquire_many(all)).await;
    Ok(())
}

/// Serves a connection until it closes, its lifetime ends or the server stops.
async fn serve_connection(stream: TcpStream, site: Arc<Site>, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.handle(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let rest = tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(LIFE) => LIFE,
        _ = stop.wait_for(|stop| *stop) => FAREWELL / 2,
    };
    connection.as_mut().graceful_shutdown();
    let _ = timeout(rest, connection).await;
}
