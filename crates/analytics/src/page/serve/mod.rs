//! The page live: a server for the one person at this machine.
//!
//! It listens on 127.0.0.1 alone and knows three paths. `guard` says who is let in, `routes` what is answered, `work` how the warehouse is
//! asked: opened for each request and closed, so that a load can come between. A head, a body, a slow client and the number of connections are bounded.

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

/// Where it listens when nobody says and nobody else does.
const PORT: u16 = 8750;
/// Connections that are open at a time; others wait to be accepted.
const CONNECTIONS: usize = 64;
/// Bytes of a request's head.
const HEAD: usize = 16 << 10;
/// Lines of it.
const HEADERS: usize = 64;
/// So long may a head take, and a connection wait for one.
const PATIENCE: Duration = Duration::from_secs(10);
/// So long may a connection last; a browser makes another.
const LIFE: Duration = Duration::from_mins(5);
/// So long do answers under way have when it ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a person may set.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port; none takes the usual one, or any that is free.
    pub port: Option<u16>,
    /// So long may a statement of a person run.
    pub seconds: u64,
    /// Rows of its answer.
    pub rows: usize,
}

/// Why nothing is served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The port is taken, or not ours to take.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The system gives no threads or no random numbers.
    #[error("cannot start the server")]
    Start(#[source] io::Error),
}

impl ServeError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => {
                Some("leave out `--port`, or use `--port 0`, for one that is free".into())
            }
            Self::Start(_) => None,
        }
    }
}

/// A server that listens already.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    connector: Arc<dyn Connector>,
    options: Options,
}

/// Ends a server, from anywhere.
#[derive(Debug, Clone)]
pub struct Stopper(watch::Sender<bool>);

impl Default for Stopper {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stopper {
    /// Ends it; a second time does nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Listens for whoever asks for the warehouse of `connector`.
    pub fn bind(connector: Arc<dyn Connector>, options: Options) -> Result<Self, ServeError> {
        let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match options.port {
            Some(port) => listen(port).map_err(|cause| ServeError::Listen { port, cause }),
            None => listen(PORT)
                .or_else(|_| listen(0))
                .map_err(|cause| ServeError::Listen { port: PORT, cause }),
        }?;
        listener.set_nonblocking(true).map_err(ServeError::Start)?;
        let address = listener.local_addr().map_err(ServeError::Start)?;
        Ok(Self { listener, address, connector, options })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is stopped.
    pub fn run(self, stopper: &Stopper) -> Result<(), ServeError> {
        let site = Site::new(self.connector, &self.options, self.address.port())
            .map_err(ServeError::Start)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(ServeError::Start)?;
        let ended = runtime.block_on(accept(self.listener, Arc::new(site), stopper.0.subscribe()));
        // Statements that still run were interrupted when their connections went.
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
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of files, most likely: others must go first.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (site, stop) = (Arc::clone(&site), stop.clone());
        tokio::spawn(async move {
            converse(stream, site, stop).await;
            drop(place);
        });
    }
    // Each connection that ends gives its place back.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = timeout(FAREWELL, places.acquire_many(all)).await;
    Ok(())
}

/// One connection, from its first request to its last.
async fn converse(stream: TcpStream, site: Arc<Site>, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer(request).await) }
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
