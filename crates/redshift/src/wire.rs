//! Session over the PostgreSQL wire protocol, with simple queries only.
//!
//! Statements are neither prepared nor bound: that queries catalogs that Redshift lacks, and the
//! failure aborts the transaction. Rows are passed on as they arrive.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use socket2::{SockRef, TcpKeepalive};

use super::channel::{Channel, ChannelError};
use super::message::{self, Message};
use super::sign_in::sign_in;
use super::{decode, error};
use sparkify_config::{Host, Server};
use sparkify_postgres::wire;
use sparkify_warehouse::{Interrupter, RowSink, WarehouseError};

/// TCP keep-alive: a dead connection is detected after about two minutes of silence.
const KEEP_ALIVE_IDLE: Duration = Duration::from_mins(1);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Maximum length of a statement in bytes, with the terminating zero.
const MAX_STATEMENT_BYTES: usize = 16 << 20;

/// Connection to the server, with or without TLS.
trait Connection: Read + Write + Send {}
impl<T: Read + Write + Send> Connection for T {}
type Stream = Box<dyn Connection>;

/// A session over one TCP connection.
pub(super) struct WireChannel {
    server: Arc<Server>,
    tls: Option<Arc<ClientConfig>>,
    stream: BufReader<Stream>,
    key: [u8; 8],
    /// True once the connection failed; it cannot be used any more.
    is_lost: bool,
}

impl WireChannel {
    /// Connects and signs in.
    pub(super) fn connect(server: &Arc<Server>) -> Result<Self, WarehouseError> {
        let tls = wire::tls_config(server)?;
        Self::begin(server, tls)
    }

    fn begin(server: &Arc<Server>, tls: Option<Arc<ClientConfig>>) -> Result<Self, WarehouseError> {
        let (stream, tcp) = open_connection(server, tls.as_ref())?;
        let mut stream = BufReader::with_capacity(64 << 10, stream);
        let key = sign_in(&mut stream, server)?;
        // The read timeout applies to the sign-in only; a statement may run for any time.
        let _ = tcp.set_read_timeout(None);
        tracing::debug!("connected to {server}");
        Ok(Self { server: Arc::clone(server), tls, stream, key, is_lost: false })
    }

    /// Sends a statement and reads its response up to `ReadyForQuery`.
    ///
    /// The response is always read to its end, also after an error: else the next statement would
    /// read the rest of it. The first error is kept.
    fn exchange(&mut self, statement: &str, sink: &mut dyn RowSink) -> std::io::Result<Response> {
        let stream = self.stream.get_mut();
        stream.write_all(&message::query(statement))?;
        stream.flush()?;
        let mut response = Response::default();
        loop {
            match message::read(&mut self.stream)? {
                Message::Columns(columns) => response.begin(&columns, sink),
                Message::Row(row) => response.row(&row, sink),
                Message::Complete(tag) => response.changed = changed_rows(&tag),
                Message::Failed(error) => {
                    response.failure.get_or_insert(ChannelError::Server(error));
                }
                Message::Notice(notice) => tracing::debug!("server notice: {}", notice.message),
                Message::Copying => {
                    return Err(std::io::Error::other(
                        "the server requested a client-side COPY, which is not supported",
                    ));
                }
                Message::Ready => return Ok(response),
                _ => {}
            }
        }
    }
}

/// Response to one statement.
#[derive(Default)]
struct Response {
    kinds: Vec<sparkify_warehouse::ResultType>,
    changed: u64,
    failure: Option<ChannelError>,
}

impl Response {
    fn begin(&mut self, columns: &[message::Column], sink: &mut dyn RowSink) {
        self.kinds = columns.iter().map(decode::kind).collect();
        let names = columns.iter().map(|column| column.name.clone()).collect();
        let begun = sink.types(&self.kinds).and_then(|()| sink.start(names));
        self.record(begun);
    }

    /// Passes a row to `sink`. Rows after a failure are discarded, so that the session stays
    /// usable.
    fn row(&mut self, row: &message::Row, sink: &mut dyn RowSink) {
        if self.failure.is_none() {
            let values = self.kinds.iter().zip(row.values());
            let taken = sink.row(values.map(|(kind, text)| decode::value(*kind, text)).collect());
            self.record(taken);
        }
    }

    fn record(&mut self, outcome: Result<(), WarehouseError>) {
        if let Err(error) = outcome {
            self.failure.get_or_insert(ChannelError::Client(error));
        }
    }
}

/// Returns the number of changed rows in a command tag: 5 in `INSERT 0 5`.
fn changed_rows(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default()
}

impl Channel for WireChannel {
    fn send(&mut self, statement: &str, sink: &mut dyn RowSink) -> Result<u64, ChannelError> {
        if self.is_lost {
            return Err(ChannelError::Lost("the connection was lost earlier".into()));
        }
        match self.exchange(statement, sink) {
            Ok(Response { failure: None, changed, .. }) => Ok(changed),
            Ok(Response { failure: Some(ChannelError::Server(error)), .. })
                if error::ends_session(&error) =>
            {
                self.is_lost = true;
                Err(ChannelError::Lost(error.message))
            }
            Ok(Response { failure: Some(failure), .. }) => Err(failure),
            Err(failure) => {
                self.is_lost = true;
                Err(ChannelError::Lost(error::io_message(&failure)))
            }
        }
    }

    fn max_statement_len(&self) -> usize {
        MAX_STATEMENT_BYTES - 1
    }

    fn reconnect(&mut self) -> Result<(), WarehouseError> {
        *self = Self::begin(&self.server, self.tls.clone())?;
        Ok(())
    }

    fn open_another(&self) -> Result<Box<dyn Channel>, WarehouseError> {
        Ok(Box::new(Self::begin(&self.server, self.tls.clone())?))
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let (server, tls, key) = (Arc::clone(&self.server), self.tls.clone(), self.key);
        Some(Box::new(move || {
            // A cancel request uses a separate connection without sign-in.
            let requested = open_connection(&server, tls.as_ref()).map(|(mut stream, _)| {
                let sent = stream.write_all(&message::cancel(key)).and_then(|()| stream.flush());
                // The server responds by closing the connection.
                sent.and_then(|()| stream.read(&mut [0]))
            });
            if let Err(error) = requested {
                tracing::debug!("cannot cancel the statement: {error}");
            }
        }))
    }
}

impl Drop for WireChannel {
    fn drop(&mut self) {
        if !self.is_lost {
            let stream = self.stream.get_mut();
            let _ = stream.write_all(&message::terminate()).and_then(|()| stream.flush());
        }
    }
}

/// Connects to the server, with TLS if configured. Returns the stream and its socket.
fn open_connection(
    server: &Server,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<(Stream, TcpStream), WarehouseError> {
    let Host::Tcp(name) = &server.host else {
        return Err(wire::not_connected(
            server,
            "the host is not a host name",
            "give the cluster's endpoint as the host",
        ));
    };
    let dialled = wire::resolve(server, name).and_then(|found| wire::connect(server, &found));
    let tcp = dialled.map_err(|error| error::unreachable(server, &error))?;
    let broken = |error: std::io::Error| error::no_session(server, &error);
    let keep = TcpKeepalive::new().with_time(KEEP_ALIVE_IDLE).with_interval(KEEP_ALIVE_INTERVAL);
    SockRef::from(&tcp).set_tcp_keepalive(&keep).map_err(broken)?;
    tcp.set_nodelay(true).map_err(broken)?;
    tcp.set_read_timeout(Some(server.connect_timeout)).map_err(broken)?;
    let socket = tcp.try_clone().map_err(broken)?;
    match tls {
        Some(tls) => Ok((Box::new(wire::start_tls(server, tls, name, tcp, &broken)?), socket)),
        None => Ok((Box::new(tcp), socket)),
    }
}
