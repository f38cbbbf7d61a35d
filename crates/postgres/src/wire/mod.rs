//! Connections with PostgreSQL's wire protocol, shared by the engines that use it: connecting, TLS
//! and errors.
//!
//! A caller sends statements through [`Wire::client`] and waits with [`Wire::wait`]. A separate
//! thread drives the connection, so that rows are transferred while they are produced. This module
//! contains no statements.

mod error;
mod steps;
mod tls;

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Connection};

use sparkify_config::{Host, Server, TlsMode};
use sparkify_warehouse::{Interrupter, WarehouseError};

pub use error::{not_connected, unreachable};
pub use steps::{connect, resolve, start_tls, try_steps};

/// Idle time before the first TCP keep-alive probe. With the probes that follow, a server that
/// disappeared is detected after about two minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Timeout of a cancel request.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(10);

/// Connection to a server.
pub struct Wire {
    /// Client that sends statements.
    pub client: Client,
    server: Arc<Server>,
    tls: Arc<tls::TlsSettings>,
    runtime: Runtime,
    driver: Mutex<Option<JoinHandle<()>>>,
}

/// Byte stream to a server: TCP or a Unix socket.
trait ByteStream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> ByteStream for T {}
type Stream = Pin<Box<dyn ByteStream>>;

/// Returns the TLS configuration for a server, for callers that connect by themselves; none if TLS
/// is disabled.
pub fn tls_config(server: &Server) -> Result<Option<Arc<rustls::ClientConfig>>, WarehouseError> {
    tls::TlsSettings::new(server).map(tls::TlsSettings::into_config)
}

impl Wire {
    /// Connects with the settings of `server`.
    pub fn connect(server: &Arc<Server>) -> Result<Self, WarehouseError> {
        let tls = Arc::new(tls::TlsSettings::new(server)?);
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().map_err(|error| {
            error::not_connected(server, error.to_string(), "check the limits of this process")
        })?;
        let (client, driver) = runtime.block_on(async {
            let connecting = begin(server, &tls, &runtime);
            let within = tokio::time::timeout(server.connect_timeout, connecting).await;
            within.unwrap_or_else(|_| Err(error::connect_timed_out(server)))
        })?;
        tracing::debug!("connected to {server}");
        let (server, driver) = (Arc::clone(server), Mutex::new(Some(driver)));
        Ok(Self { client, server, tls, runtime, driver })
    }

    /// Blocks until the response has arrived.
    pub fn wait<F: Future>(&self, response: F) -> F::Output {
        self.runtime.block_on(response)
    }

    /// Closes the connection immediately. The server rolls back an open transaction, and every
    /// later request fails.
    pub fn abort(&self) {
        let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(driver) = driver {
            driver.abort();
            let _ = self.wait(driver);
        }
    }

    /// Converts an error of the client that occurred with `statement`.
    pub fn statement_error(
        &self,
        error: &tokio_postgres::Error,
        statement: &str,
    ) -> WarehouseError {
        error::statement_failed(&self.server, error, statement)
    }

    /// Returns a function that cancels the running statement over a separate connection, as the
    /// protocol requires.
    pub fn interrupter(&self) -> Interrupter {
        let (server, tls) = (Arc::clone(&self.server), Arc::clone(&self.tls));
        let token = self.client.cancel_token();
        Box::new(move || {
            if let Err(error) = cancel(&server, &tls, &token) {
                tracing::debug!("cannot cancel the statement: {error}");
            }
        })
    }
}

async fn begin(
    server: &Server,
    tls: &tls::TlsSettings,
    runtime: &Runtime,
) -> Result<(Client, JoinHandle<()>), WarehouseError> {
    let stream = reach(server).await.map_err(|error| error::unreachable(server, &error))?;
    let config = startup_config(server);
    let (client, connection) = config
        .connect_raw(stream, tls.connector(server))
        .await
        .map_err(|error| error::refused(server, &error))?;
    Ok((client, runtime.spawn(drive(connection))))
}

/// Returns the parameters of the startup message.
fn startup_config(server: &Server) -> Config {
    let mut config = Config::new();
    config.user(&server.user).dbname(&server.database).application_name(&server.application_name);
    if let Some(password) = &server.password {
        config.password(password.reveal());
    }
    if let Some(options) = &server.options {
        config.options(options);
    }
    let encrypted = server.tls != TlsMode::Disable;
    config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
    config
}

/// Transfers messages until the connection ends, and logs the notices of the server.
async fn drive(mut connection: Connection<Stream, tls::Stream<Stream>>) {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!("{}: {}", notice.severity().to_lowercase(), notice.message());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return tracing::debug!("connection lost: {error}"),
            None => return,
        }
    }
}

async fn reach(server: &Server) -> std::io::Result<Stream> {
    let name = match &server.host {
        Host::Socket(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{}", server.port));
            return Ok(Box::pin(UnixStream::connect(socket).await?));
        }
        Host::Tcp(name) => name,
    };
    let mut last = None;
    for address in addresses(server, name).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                let keep =
                    TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
                SockRef::from(&stream).set_tcp_keepalive(&keep)?;
                return Ok(Box::pin(stream));
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("the name has no address")))
}

/// Resolves a host name. Without TLS, a local name must resolve to loopback addresses, so that
/// nothing is sent unencrypted over a network.
async fn addresses(server: &Server, name: &str) -> std::io::Result<Vec<SocketAddr>> {
    let found = lookup_host((name, server.port)).await?;
    let only_loopback = server.tls == TlsMode::Disable && server.is_local();
    Ok(found.filter(|address| !only_loopback || address.ip().is_loopback()).collect())
}

fn cancel(server: &Server, tls: &tls::TlsSettings, token: &CancelToken) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let request = async {
            let stream = reach(server).await.map_err(|error| error.to_string())?;
            let sent = token.cancel_query_raw(stream, tls.connector(server)).await;
            sent.map_err(|error| error.to_string())
        };
        let within = tokio::time::timeout(CANCEL_TIMEOUT, request).await;
        within.unwrap_or_else(|_| Err("no response".into()))
    })
}
