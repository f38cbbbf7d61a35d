//! The way to a server in steps that wait: its name, its port, TLS. For whoever walks it one by one, and for whoever speaks over it without a driver.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, StreamOwned};

use super::failed::{not_connected, tls_failed, unreachable};
use super::tls;
use sparkify_config::{Host, Server, TlsMode};
use sparkify_warehouse::{ConnectionStep, WarehouseError};

/// Asks whether the server would speak TLS.
const ASK_FOR_TLS: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Walks to the server until it goes no further; `sign_in` is the last step.
pub fn walk(
    server: &Server,
    sign_in: impl FnOnce() -> Result<(), WarehouseError>,
) -> Vec<ConnectionStep> {
    let mut walk = Walk { steps: Vec::new(), goes_on: true };
    let addresses = walk.take("dns", || named(server)).unwrap_or_default();
    let socket = walk.take("tcp", || connected(server, &addresses)).flatten();
    walk.take("tls", || guarded(server, socket));
    walk.take("login", || sign_in().map(|()| (format!("`{}` is let in", server.user), ())));
    walk.steps
}

struct Walk {
    steps: Vec<ConnectionStep>,
    goes_on: bool,
}

impl Walk {
    fn take<T>(
        &mut self,
        what: &'static str,
        attempt: impl FnOnce() -> Result<(String, T), WarehouseError>,
    ) -> Option<T> {
        if !self.goes_on {
            self.steps.push(ConnectionStep { name: what, outcome: None });
            return None;
        }
        let (outcome, made) = match attempt() {
            Ok((said, made)) => (Ok(said), Some(made)),
            Err(error) => (Err(error), None),
        };
        self.goes_on = outcome.is_ok();
        self.steps.push(ConnectionStep { name: what, outcome: Some(outcome) });
        made
    }
}

fn named(server: &Server) -> Result<(String, Vec<SocketAddr>), WarehouseError> {
    let Host::Tcp(name) = &server.host else {
        return Ok(("none is asked: the server has a socket on this machine".into(), Vec::new()));
    };
    let unknown = |reason: &dyn std::fmt::Display| {
        let hint = "check the name, and the name server that is asked from here";
        not_connected(server, format!("nobody knows the host `{name}`: {reason}"), hint)
    };
    let addresses = resolve(server, name).map_err(|error| unknown(&error))?;
    if addresses.is_empty() {
        return Err(unknown(&"it has no address"));
    }
    let mut told: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    told.dedup();
    Ok((format!("`{name}` is {}", told.join(", ")), addresses))
}

fn connected(
    server: &Server,
    addresses: &[SocketAddr],
) -> Result<(String, Option<TcpStream>), WarehouseError> {
    let failed = |error: io::Error| unreachable(server, &error);
    if let Host::Socket(folder) = &server.host {
        let socket = folder.join(format!(".s.PGSQL.{}", server.port));
        UnixStream::connect(&socket).map_err(failed)?;
        return Ok((format!("`{}` answers", socket.display()), None));
    }
    let stream = connect(server, addresses).map_err(failed)?;
    let told = stream.peer_addr().map_or_else(|_| "it".into(), |address| address.to_string());
    Ok((format!("{told} answers"), Some(stream)))
}

fn guarded(server: &Server, socket: Option<TcpStream>) -> Result<(String, ()), WarehouseError> {
    let config = tls::Guard::new(server)?.into_config();
    let (Some(config), Some(socket), Host::Tcp(name)) = (config, socket, &server.host) else {
        return Ok(("not used: what is said is not encrypted".into(), ()));
    };
    let broken = |error: io::Error| unreachable(server, &error);
    socket.set_read_timeout(Some(server.connect_timeout)).map_err(broken)?;
    let stream = encrypted(server, &config, name, socket, &broken)?;
    let version = match stream.conn.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    let trust = match server.tls {
        TlsMode::VerifyFull => format!("the certificate is one for `{name}`"),
        TlsMode::VerifyCa => "the certificate is signed by somebody trusted, for any name".into(),
        TlsMode::Require | TlsMode::Disable => "the certificate is not verified".into(),
    };
    Ok((format!("{version}, {trust}"), ()))
}

/// The addresses of a name. What is not encrypted because it stays on this machine, by its name, must do so.
pub fn resolve(server: &Server, name: &str) -> io::Result<Vec<SocketAddr>> {
    let only_here = server.tls == TlsMode::Disable && server.is_local();
    let found = (name, server.port).to_socket_addrs()?;
    Ok(found.filter(|address| !only_here || address.ip().is_loopback()).collect())
}

/// A connection to the first address that takes one.
pub fn connect(server: &Server, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(address, server.connect_timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The same connection, encrypted; `broken` says what it means when it breaks.
pub fn encrypted(
    server: &Server,
    config: &Arc<ClientConfig>,
    name: &str,
    mut tcp: TcpStream,
    broken: &dyn Fn(io::Error) -> WarehouseError,
) -> Result<StreamOwned<ClientConnection, TcpStream>, WarehouseError> {
    tcp.write_all(&ASK_FOR_TLS).map_err(broken)?;
    let mut answer = [0];
    tcp.read_exact(&mut answer).map_err(broken)?;
    if answer != *b"S" {
        let hint = "check the host and the port, or turn TLS on there; `sslmode=disable` sends everything as it is";
        return Err(not_connected(server, "the server has no TLS", hint));
    }
    let verifiable = ServerName::try_from(name.to_owned()).map_err(|_| {
        not_connected(server, "its name cannot be verified", "name the server's own host")
    })?;
    let mut session = ClientConnection::new(Arc::clone(config), verifiable)
        .map_err(|error| tls_failed(server, &io::Error::other(error)))?;
    // The handshake is made now, so that what is wrong with it is said as that.
    session.complete_io(&mut tcp).map_err(|error| tls_failed(server, &error))?;
    Ok(StreamOwned::new(session, tcp))
}
