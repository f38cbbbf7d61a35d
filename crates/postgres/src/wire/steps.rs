//! Blocking steps of connecting to a server: DNS, TCP and TLS. `doctor` tries them one by one; the
//! Redshift engine connects with them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, StreamOwned};

use super::error::{not_connected, tls_failed, unreachable};
use super::tls;
use sparkify_config::{Host, Server, TlsMode};
use sparkify_warehouse::{ConnectionStep, WarehouseError};

/// `SSLRequest` message of the protocol: asks the server to use TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Tries each step until one fails; `sign_in` is the last one. `unreachable` creates the error of a
/// host that cannot be reached.
pub fn try_steps(
    server: &Server,
    unreachable: fn(&Server, &io::Error) -> WarehouseError,
    sign_in: impl FnOnce() -> Result<(), WarehouseError>,
) -> Vec<ConnectionStep> {
    let mut trial = Trial { steps: Vec::new(), has_failed: false };
    let addresses = trial.step("dns", || try_dns(server)).unwrap_or_default();
    let failed = |error: io::Error| unreachable(server, &error);
    let socket = trial.step("tcp", || try_tcp(server, &addresses, &failed)).flatten();
    trial.step("tls", || try_tls(server, socket));
    trial.step("login", || sign_in().map(|()| (format!("signed in as `{}`", server.user), ())));
    trial.steps
}

struct Trial {
    steps: Vec<ConnectionStep>,
    has_failed: bool,
}

impl Trial {
    /// Runs a step that returns a message and a value for later steps. After a failed step, only
    /// the name is recorded.
    fn step<T>(
        &mut self,
        name: &'static str,
        attempt: impl FnOnce() -> Result<(String, T), WarehouseError>,
    ) -> Option<T> {
        if self.has_failed {
            self.steps.push(ConnectionStep { name, outcome: None });
            return None;
        }
        let (outcome, value) = match attempt() {
            Ok((message, value)) => (Ok(message), Some(value)),
            Err(error) => (Err(error), None),
        };
        self.has_failed = outcome.is_err();
        self.steps.push(ConnectionStep { name, outcome: Some(outcome) });
        value
    }
}

fn try_dns(server: &Server) -> Result<(String, Vec<SocketAddr>), WarehouseError> {
    let Host::Tcp(name) = &server.host else {
        return Ok(("not needed: the server has a Unix socket".into(), Vec::new()));
    };
    let unknown = |reason: &dyn std::fmt::Display| {
        let hint = "check the host name and the DNS settings";
        not_connected(server, format!("cannot resolve the host `{name}`: {reason}"), hint)
    };
    let addresses = resolve(server, name).map_err(|error| unknown(&error))?;
    if addresses.is_empty() {
        return Err(unknown(&"it has no address"));
    }
    let mut ips: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    ips.dedup();
    Ok((format!("`{name}` is {}", ips.join(", ")), addresses))
}

fn try_tcp(
    server: &Server,
    addresses: &[SocketAddr],
    failed: &dyn Fn(io::Error) -> WarehouseError,
) -> Result<(String, Option<TcpStream>), WarehouseError> {
    if let Host::Socket(folder) = &server.host {
        let socket = folder.join(format!(".s.PGSQL.{}", server.port));
        UnixStream::connect(&socket).map_err(failed)?;
        return Ok((format!("connected to `{}`", socket.display()), None));
    }
    let stream = connect(server, addresses).map_err(failed)?;
    let peer = stream.peer_addr().map_or_else(|_| "it".into(), |address| address.to_string());
    Ok((format!("connected to {peer}"), Some(stream)))
}

fn try_tls(server: &Server, socket: Option<TcpStream>) -> Result<(String, ()), WarehouseError> {
    let config = tls::TlsSettings::new(server)?.into_config();
    let (Some(config), Some(socket), Host::Tcp(name)) = (config, socket, &server.host) else {
        return Ok(("not used: the connection is not encrypted".into(), ()));
    };
    let broken = |error: io::Error| unreachable(server, &error);
    socket.set_read_timeout(Some(server.connect_timeout)).map_err(broken)?;
    let stream = start_tls(server, &config, name, socket, &broken)?;
    let version = match stream.conn.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    let trust = match server.tls {
        TlsMode::VerifyFull => format!("the certificate is valid for `{name}`"),
        TlsMode::VerifyCa => {
            "the certificate authority is trusted, the name is not verified".into()
        }
        TlsMode::Require | TlsMode::Disable => "the certificate is not verified".into(),
    };
    Ok((format!("{version}, {trust}"), ()))
}

/// Resolves a host name. Without TLS, a local name must resolve to loopback addresses, so that
/// nothing is sent unencrypted over a network.
pub fn resolve(server: &Server, name: &str) -> io::Result<Vec<SocketAddr>> {
    let only_loopback = server.tls == TlsMode::Disable && server.is_local();
    let found = (name, server.port).to_socket_addrs()?;
    Ok(found.filter(|address| !only_loopback || address.ip().is_loopback()).collect())
}

/// Connects to the first address that accepts a connection.
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

/// Encrypts a connection; `broken` converts an error of the connection.
pub fn start_tls(
    server: &Server,
    config: &Arc<ClientConfig>,
    name: &str,
    mut tcp: TcpStream,
    broken: &dyn Fn(io::Error) -> WarehouseError,
) -> Result<StreamOwned<ClientConnection, TcpStream>, WarehouseError> {
    tcp.write_all(&SSL_REQUEST).map_err(broken)?;
    let mut response = [0];
    tcp.read_exact(&mut response).map_err(broken)?;
    if response != *b"S" {
        let hint = "check the host and the port, or enable TLS on the server; `sslmode=disable` sends everything unencrypted";
        return Err(not_connected(server, "the server does not support TLS", hint));
    }
    let verifiable = ServerName::try_from(name.to_owned()).map_err(|_| {
        not_connected(server, "the host name cannot be verified", "use the host name of the server")
    })?;
    let mut session = ClientConnection::new(Arc::clone(config), verifiable)
        .map_err(|error| tls_failed(server, &io::Error::other(error)))?;
    // Completes the handshake now, so that its errors are reported as TLS errors.
    session.complete_io(&mut tcp).map_err(|error| tls_failed(server, &error))?;
    Ok(StreamOwned::new(session, tcp))
}
