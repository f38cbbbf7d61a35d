//! A connection by PostgreSQL's protocol, which more than one engine speaks: the way to the server, TLS, and what failures mean.
//!
//! Whoever has a [`Wire`] sends statements through its client and waits with [`Wire::wait`]. The connection itself is driven by a thread of its
//! own, so rows travel while they are made. Nothing here knows a statement.

mod failed;
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

pub use failed::{not_connected, unreachable};
pub use steps::walk;
pub use steps::{connect, encrypted, resolve};

/// A server that is gone without a word is noticed after some two minutes of silence.
const SILENT: Duration = Duration::from_mins(1);
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// How long it may take to tell a server that a statement is to stop.
const CANCEL_WITHIN: Duration = Duration::from_secs(10);

/// One connection.
pub struct Wire {
    /// What statements are sent through.
    pub client: Client,
    server: Arc<Server>,
    guard: Arc<tls::Guard>,
    runtime: Runtime,
    driver: Mutex<Option<JoinHandle<()>>>,
}

/// Bytes to a server and back, whatever they travel through.
trait Bytes: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Bytes for T {}
type Stream = Pin<Box<dyn Bytes>>;

/// What TLS to a server takes, for whoever makes the connection otherwise; nothing where there is none.
pub fn tls_of(server: &Server) -> Result<Option<Arc<rustls::ClientConfig>>, WarehouseError> {
    tls::Guard::new(server).map(tls::Guard::into_config)
}

impl Wire {
    /// Connects, as the server's settings say.
    pub fn connect(server: &Arc<Server>) -> Result<Self, WarehouseError> {
        let guard = Arc::new(tls::Guard::new(server)?);
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().map_err(|error| {
            failed::not_connected(server, error.to_string(), "check the limits of this process")
        })?;
        let (client, driver) = runtime.block_on(async {
            let connecting = begin(server, &guard, &runtime);
            let within = tokio::time::timeout(server.connect_timeout, connecting).await;
            within.unwrap_or_else(|_| Err(failed::no_answer(server)))
        })?;
        tracing::debug!("connected to {server}");
        let (server, driver) = (Arc::clone(server), Mutex::new(Some(driver)));
        Ok(Self { client, server, guard, runtime, driver })
    }

    /// Waits for what the server answers.
    pub fn wait<F: Future>(&self, answer: F) -> F::Output {
        self.runtime.block_on(answer)
    }

    /// Ends the connection at once: whatever the session had not committed is undone, and every later request fails.
    pub fn cut(&self) {
        let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(driver) = driver {
            driver.abort();
            let _ = self.wait(driver);
        }
    }

    /// What a failure of the client means.
    pub fn failed(&self, error: &tokio_postgres::Error, statement: &str) -> WarehouseError {
        failed::statement_failed(&self.server, error, statement)
    }

    /// What asks the server to stop the statement that is running, through a connection of its own.
    pub fn interrupter(&self) -> Interrupter {
        let (server, guard) = (Arc::clone(&self.server), Arc::clone(&self.guard));
        let token = self.client.cancel_token();
        Box::new(move || {
            if let Err(error) = cancel(&server, &guard, &token) {
                tracing::debug!("cancelling: {error}");
            }
        })
    }
}

async fn begin(
    server: &Server,
    guard: &tls::Guard,
    runtime: &Runtime,
) -> Result<(Client, JoinHandle<()>), WarehouseError> {
    let stream = reach(server).await.map_err(|error| failed::unreachable(server, &error))?;
    let config = startup(server);
    let (client, connection) = config
        .connect_raw(stream, guard.connector(server))
        .await
        .map_err(|error| failed::refused(server, &error))?;
    Ok((client, runtime.spawn(drive(connection))))
}

/// What the server is told first.
fn startup(server: &Server) -> Config {
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

/// Moves messages until the connection ends, and shows what the server remarks.
async fn drive(mut connection: Connection<Stream, tls::Stream<Stream>>) {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!("{}: {}", notice.severity().to_lowercase(), notice.message());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return tracing::debug!("the connection ended: {error}"),
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
                let keep = TcpKeepalive::new().with_time(SILENT).with_interval(ASK_AGAIN);
                SockRef::from(&stream).set_tcp_keepalive(&keep)?;
                return Ok(Box::pin(stream));
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("the name has no address")))
}

/// The addresses of a name. What is not encrypted because it stays on this machine, by its name, must do so.
async fn addresses(server: &Server, name: &str) -> std::io::Result<Vec<SocketAddr>> {
    let found = lookup_host((name, server.port)).await?;
    let only_here = server.tls == TlsMode::Disable && server.is_local();
    Ok(found.filter(|address| !only_here || address.ip().is_loopback()).collect())
}

fn cancel(server: &Server, guard: &tls::Guard, token: &CancelToken) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let asking = async {
            let stream = reach(server).await.map_err(|error| error.to_string())?;
            let asked = token.cancel_query_raw(stream, guard.connector(server)).await;
            asked.map_err(|error| error.to_string())
        };
        let within = tokio::time::timeout(CANCEL_WITHIN, asking).await;
        within.unwrap_or_else(|_| Err("no answer".into()))
    })
}
