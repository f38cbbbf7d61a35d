//! Sessions on the PostgreSQL server.
//!
//! Each client has one session; another one creates and drops the emulator's database. Messages are
//! sent and received one by one, so that the proxy can inspect each. The proxy's own statements go
//! through [`Backend::query`] and are invisible to the client.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;

use postgres_protocol::authentication::{md5_hash, sasl};

use crate::wire::{self, BodyReader, Message, Report};

/// Address of the PostgreSQL server and credentials of a superuser.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

impl Target {
    /// Parses `postgres://user:password@host:port/database`.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("postgres://").or(url.strip_prefix("postgresql://"))?;
        let (credentials, server) = rest.rsplit_once('@')?;
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let (address, database) = server.split_once('/').unwrap_or((server, "postgres"));
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "5432"));
        Some(Self {
            host: host.to_owned(),
            port: port.parse().ok()?,
            user: user.to_owned(),
            password: password.to_owned(),
            database: database.split('?').next()?.to_owned(),
        })
    }
}

/// Rows in text form.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// PostgreSQL session.
pub(crate) struct Backend {
    stream: BufReader<TcpStream>,
    /// Process ID and secret key, which a cancel request needs (`BackendKeyData`).
    pub(crate) cancel_key: [u8; 8],
    /// Transaction status: `I` idle, `T` in a transaction block, `E` in a failed one.
    pub(crate) status: u8,
}

impl Backend {
    /// Connects to `database` with these settings (`-c name=value …`).
    pub(crate) fn connect(target: &Target, database: &str, options: &str) -> io::Result<Self> {
        let stream = TcpStream::connect((target.host.as_str(), target.port))?;
        stream.set_nodelay(true)?;
        let mut backend = Self { stream: BufReader::new(stream), cancel_key: [0; 8], status: b'I' };
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        let parameters = ["user", &target.user, "database", database, "options", options];
        body.extend(wire::strings(&parameters));
        body.push(0);
        let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
        backend.stream.get_mut().write_all(&[&length.to_be_bytes()[..], &body].concat())?;
        backend.authenticate(target)?;
        loop {
            let message = backend.receive()?;
            match message.tag {
                b'K' => backend.cancel_key.copy_from_slice(&message.body[..8]),
                b'E' => return Err(error_response(&message)),
                b'Z' => return Ok(backend),
                _ => {}
            }
        }
    }

    fn authenticate(&mut self, target: &Target) -> io::Result<()> {
        let password = target.password.as_bytes();
        let channel = sasl::ChannelBinding::unsupported();
        let mut scram = sasl::ScramSha256::new(password, channel);
        loop {
            let message = self.receive()?;
            if message.tag != b'R' {
                return Err(error_response(&message));
            }
            let mut body = BodyReader(&message.body);
            match body.int() {
                0 => return Ok(()),
                3 => self.send(b'p', &wire::strings(&[&target.password]))?,
                5 => {
                    let salt = body.bytes(4).try_into().map_err(io::Error::other)?;
                    let hash = md5_hash(target.user.as_bytes(), password, salt);
                    self.send(b'p', &wire::strings(&[&hash]))?;
                }
                10 => {
                    let mut response = wire::strings(&[sasl::SCRAM_SHA_256]);
                    let length = i32::try_from(scram.message().len()).map_err(io::Error::other)?;
                    response.extend_from_slice(&length.to_be_bytes());
                    response.extend_from_slice(scram.message());
                    self.send(b'p', &response)?;
                }
                11 => {
                    scram.update(body.0)?;
                    let response = scram.message().to_vec();
                    self.send(b'p', &response)?;
                }
                12 => scram.finish(body.0)?,
                method => {
                    let message = format!("unsupported authentication method {method}");
                    return Err(io::Error::other(message));
                }
            }
        }
    }

    /// Sends one message.
    pub(crate) fn send(&mut self, tag: u8, body: &[u8]) -> io::Result<()> {
        wire::write(self.stream.get_mut(), tag, body)
    }

    /// Sends a message of the extended protocol with a Flush, which makes the server respond.
    pub(crate) fn send_and_flush(&mut self, tag: u8, body: &[u8]) -> io::Result<()> {
        let mut both = Vec::with_capacity(body.len() + 10);
        wire::write(&mut both, tag, body)?;
        wire::write(&mut both, b'H', &[])?;
        self.stream.get_mut().write_all(&both)
    }

    /// Sends a `Query` without reading the response.
    pub(crate) fn send_query(&mut self, text: &str) -> io::Result<()> {
        self.send(b'Q', &wire::strings(&[text]))
    }

    /// Receives one message and updates the transaction status.
    pub(crate) fn receive(&mut self) -> io::Result<Message> {
        let message = wire::read(&mut self.stream)?;
        if message.tag == b'Z' {
            self.status = message.body.first().copied().unwrap_or(b'I');
        }
        Ok(message)
    }

    /// Runs a statement of the proxy; returns all rows or the last error.
    pub(crate) fn query(&mut self, text: &str) -> io::Result<Result<Rows, Report>> {
        self.send_query(text)?;
        self.read_until_ready(None)
    }

    /// Loads rows in COPY text format with the statement `COPY … FROM STDIN`.
    pub(crate) fn copy_in(&mut self, copy: &str, rows: &str) -> io::Result<Result<Rows, Report>> {
        self.send_query(copy)?;
        self.read_until_ready(Some(rows))
    }

    fn read_until_ready(&mut self, input: Option<&str>) -> io::Result<Result<Rows, Report>> {
        let mut rows = Vec::new();
        let mut error = None;
        loop {
            let message = self.receive()?;
            match message.tag {
                b'D' => rows.push(text_row(&message.body)),
                b'E' => error = Some(Report::parse(&message.body)),
                b'G' => {
                    for piece in input.unwrap_or_default().as_bytes().chunks(1 << 20) {
                        self.send(b'd', piece)?;
                    }
                    self.send(b'c', &[])?;
                }
                b'Z' => return Ok(error.map_or(Ok(rows), Err)),
                _ => {}
            }
        }
    }

    /// Ends the session.
    pub(crate) fn close(&mut self) {
        let _ = self.send(b'X', &[]);
    }
}

/// Sends a cancel request for the session with this key.
pub(crate) fn cancel(target: &Target, key: &[u8]) -> io::Result<()> {
    let mut stream = TcpStream::connect((target.host.as_str(), target.port))?;
    stream.write_all(&[&16_u32.to_be_bytes()[..], &80_877_102_u32.to_be_bytes(), key].concat())?;
    // The server closes the connection once it has signalled the session.
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn text_row(body: &[u8]) -> Vec<Option<String>> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    wire::values(body).into_iter().map(|value| value.map(text)).collect()
}

fn error_response(message: &Message) -> io::Error {
    io::Error::other(Report::parse(&message.body).to_string())
}

/// Quotes a string literal for the backend; backslashes escape there, so they are doubled.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''").replace('\0', ""))
}

/// Quotes an identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
