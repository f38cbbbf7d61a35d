//! The wire: PostgreSQL's protocol as Redshift speaks it, by simple queries alone.
//!
//! Nothing is prepared or bound: that asks catalogs which Redshift lacks, and a failure there ends a transaction. Rows are handed on as they come.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};
use rustls::ClientConfig;
use socket2::{SockRef, TcpKeepalive};

use super::channel::{Channel, ChannelError};
use super::message::{self, Message};
use super::{decode, failed};
use sparkify_config::{Host, Server, TlsMode};
use sparkify_postgres::wire;
use sparkify_warehouse::{Interrupter, RowSink, WarehouseError};

/// A server that is gone without a word is noticed after some two minutes of silence.
const SILENT: Duration = Duration::from_mins(1);
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// A statement is at most so long, in bytes.
const LONGEST_STATEMENT: usize = 16 << 20;

/// How one proves who one is, by the protocol's numbers.
const PROVEN: u32 = 0;
const CLEARTEXT: u32 = 3;
const MD5: u32 = 5;

/// Bytes to a server and back, whatever they travel through.
trait Bytes: Read + Write + Send {}
impl<T: Read + Write + Send> Bytes for T {}
type Stream = Box<dyn Bytes>;

/// One session.
pub(super) struct WireChannel {
    server: Arc<Server>,
    guard: Option<Arc<ClientConfig>>,
    stream: BufReader<Stream>,
    key: [u8; 8],
    /// Whether nothing is to be expected of the session any more.
    is_lost: bool,
}

impl WireChannel {
    /// Connects, as the server's settings say.
    pub(super) fn connect(server: &Arc<Server>) -> Result<Self, WarehouseError> {
        let guard = wire::tls_config(server)?;
        Self::begin(server, guard)
    }

    fn begin(
        server: &Arc<Server>,
        guard: Option<Arc<ClientConfig>>,
    ) -> Result<Self, WarehouseError> {
        let (stream, tcp) = reach(server, guard.as_ref())?;
        let mut stream = BufReader::with_capacity(64 << 10, stream);
        let key = sign_in(&mut stream, server)?;
        // From here on an answer takes as long as the statement does.
        let _ = tcp.set_read_timeout(None);
        tracing::debug!("connected to {server}");
        Ok(Self { server: Arc::clone(server), guard, stream, key, is_lost: false })
    }

    fn exchange(&mut self, statement: &str, sink: &mut dyn RowSink) -> std::io::Result<Answer> {
        let stream = self.stream.get_mut();
        stream.write_all(&message::query(statement))?;
        stream.flush()?;
        let mut answer = Answer::default();
        loop {
            match message::read(&mut self.stream)? {
                Message::Columns(columns) => answer.begin(&columns, sink),
                Message::Row(row) => answer.row(&row, sink),
                Message::Complete(tag) => answer.changed = changed(&tag),
                Message::Failed(said) => {
                    answer.failure.get_or_insert(ChannelError::Said(said));
                }
                Message::Notice(said) => tracing::debug!("the server remarks: {}", said.message),
                Message::Copying => {
                    return Err(std::io::Error::other(
                        "the server wants rows that nobody promised",
                    ));
                }
                Message::Ready => return Ok(answer),
                _ => {}
            }
        }
    }
}

/// What one statement comes to.
#[derive(Default)]
struct Answer {
    kinds: Vec<sparkify_warehouse::ResultType>,
    changed: u64,
    failure: Option<ChannelError>,
}

impl Answer {
    fn begin(&mut self, columns: &[message::Column], sink: &mut dyn RowSink) {
        self.kinds = columns.iter().map(decode::kind).collect();
        let names = columns.iter().map(|column| column.name.clone()).collect();
        let begun = sink.types(&self.kinds).and_then(|()| sink.start(names));
        self.note(begun);
    }

    /// Rows behind a failure are read and dropped: the session stays usable.
    fn row(&mut self, row: &message::Row, sink: &mut dyn RowSink) {
        if self.failure.is_none() {
            let values = self.kinds.iter().zip(row.values());
            let taken = sink.row(values.map(|(kind, text)| decode::value(*kind, text)).collect());
            self.note(taken);
        }
    }

    fn note(&mut self, outcome: Result<(), WarehouseError>) {
        if let Err(error) = outcome {
            self.failure.get_or_insert(ChannelError::Ours(error));
        }
    }
}

/// `INSERT 0 5` is five rows.
fn changed(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default()
}

impl Channel for WireChannel {
    fn send(&mut self, statement: &str, sink: &mut dyn RowSink) -> Result<u64, ChannelError> {
        if self.is_lost {
            return Err(ChannelError::Lost("it was lost before".into()));
        }
        match self.exchange(statement, sink) {
            Ok(Answer { failure: None, changed, .. }) => Ok(changed),
            Ok(Answer { failure: Some(ChannelError::Said(said)), .. }) if failed::is_end(&said) => {
                self.is_lost = true;
                Err(ChannelError::Lost(said.message))
            }
            Ok(Answer { failure: Some(failure), .. }) => Err(failure),
            Err(error) => {
                self.is_lost = true;
                Err(ChannelError::Lost(failed::words(&error)))
            }
        }
    }

    fn longest(&self) -> usize {
        LONGEST_STATEMENT - 1
    }

    fn reconnect(&mut self) -> Result<(), WarehouseError> {
        *self = Self::begin(&self.server, self.guard.clone())?;
        Ok(())
    }

    fn another(&self) -> Result<Box<dyn Channel>, WarehouseError> {
        Ok(Box::new(Self::begin(&self.server, self.guard.clone())?))
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let (server, guard, key) = (Arc::clone(&self.server), self.guard.clone(), self.key);
        Some(Box::new(move || {
            let asked = reach(&server, guard.as_ref()).map(|(mut stream, _)| {
                let sent = stream.write_all(&message::cancel(key)).and_then(|()| stream.flush());
                // The server answers by closing.
                sent.and_then(|()| stream.read(&mut [0]))
            });
            if let Err(error) = asked {
                tracing::debug!("cancelling: {error}");
            }
        }))
    }
}

impl Drop for WireChannel {
    fn drop(&mut self) {
        if !self.is_lost {
            let stream = self.stream.get_mut();
            let _ = stream.write_all(&message::end()).and_then(|()| stream.flush());
        }
    }
}

/// A stream to the server, encrypted where it is to be, and its socket.
fn reach(
    server: &Server,
    guard: Option<&Arc<ClientConfig>>,
) -> Result<(Stream, TcpStream), WarehouseError> {
    let Host::Tcp(name) = &server.host else {
        return Err(wire::not_connected(
            server,
            "it is no name of a host",
            "name the cluster's endpoint",
        ));
    };
    let dialled = wire::resolve(server, name).and_then(|found| wire::connect(server, &found));
    let tcp = dialled.map_err(|error| wire::unreachable(server, &error))?;
    let broken = |error: std::io::Error| failed::no_session(server, &error);
    let keep = TcpKeepalive::new().with_time(SILENT).with_interval(ASK_AGAIN);
    SockRef::from(&tcp).set_tcp_keepalive(&keep).map_err(broken)?;
    tcp.set_nodelay(true).map_err(broken)?;
    tcp.set_read_timeout(Some(server.connect_timeout)).map_err(broken)?;
    let socket = tcp.try_clone().map_err(broken)?;
    match guard {
        Some(guard) => Ok((Box::new(wire::start_tls(server, guard, name, tcp, &broken)?), socket)),
        None => Ok((Box::new(tcp), socket)),
    }
}

/// Says who, proves it, and waits until the server is ready.
fn sign_in(stream: &mut BufReader<Stream>, server: &Server) -> Result<[u8; 8], WarehouseError> {
    let broken = |error: std::io::Error| failed::no_session(server, &error);
    let tell = |stream: &mut BufReader<Stream>, bytes: &[u8]| {
        let stream = stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).map_err(broken)
    };
    let mut key = [0; 8];
    tell(stream, &message::start(&server.user, &server.database, &server.application_name))?;
    loop {
        match message::read(stream).map_err(broken)? {
            Message::Authentication(PROVEN, _) => {}
            Message::Authentication(way, salt) => {
                let proof = proof(server, way, &salt)?;
                tell(stream, &message::password(&proof))?;
            }
            Message::Key(given) => key = given,
            Message::Failed(said) => return Err(failed::denied(server, &said)),
            Message::Notice(said) => tracing::debug!("the server remarks: {}", said.message),
            Message::Ready => return Ok(key),
            _ => {}
        }
    }
}

/// The password in the form that the server asks for.
fn proof(server: &Server, way: u32, salt: &[u8]) -> Result<String, WarehouseError> {
    if way != CLEARTEXT && way != MD5 {
        return Err(failed::other_proof(server, way));
    }
    let Some(password) = server.password.as_ref().map(sparkify_config::Secret::reveal) else {
        return Err(failed::no_password(server));
    };
    if way == CLEARTEXT {
        // In clear, it goes only through what is encrypted, or stays on this machine.
        if server.tls == TlsMode::Disable && !server.is_local() {
            return Err(failed::in_clear(server));
        }
        return Ok(password.to_owned());
    }
    let inner = hex(&Md5::new().chain_update(password).chain_update(&server.user).finalize());
    let outer = Md5::new().chain_update(inner).chain_update(salt.get(..4).unwrap_or_default());
    Ok(format!("md5{}", hex(&outer.finalize())))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
