//! Client connections: TLS negotiation, startup, authentication and the message loop.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;

use postgres_protocol::authentication::md5_hash;
use rustls::ServerConfig;

use crate::backend;
use crate::cluster::Cluster;
use crate::options::{Authentication, User};
use crate::random;
use crate::session::{Extended, MessageSink, Session};
use crate::tls::Client;
use crate::wire::{self, BodyReader, Report};

// Request codes in place of the protocol version in a startup packet.
const SSL_REQUEST: i32 = 80_877_103;
const GSS_REQUEST: i32 = 80_877_104;
const CANCEL_REQUEST: i32 = 80_877_102;
const PROTOCOL_3: i32 = 196_608;

/// Startup parameters that Redshift accepts, also as settings in `options`.
///
/// They include the parameters that Amazon's drivers send about themselves and about an identity
/// provider (`core.py` of redshift_connector 2.1.17 and 2.2.0), and `DateStyle` and `TimeZone`, which
/// sqlx sends (launchbadge/sqlx#801).
const PARAMETERS: &[&str] = &[
    "user",
    "database",
    "client_encoding",
    "application_name",
    "datestyle",
    "timezone",
    "extra_float_digits",
    "options",
    "client_protocol_version",
    "driver_version",
    "os_version",
    "driver_discovery_version",
    "plugin_name",
    "idp_type",
    "provider_name",
    "identity_namespace",
    "token_type",
    "idc_client_display_name",
];
/// Settings that are passed to the backend.
const SETTINGS: &[&str] = &[
    "datestyle",
    "timezone",
    "search_path",
    "statement_timeout",
    "application_name",
    "extra_float_digits",
];
/// Settings that only Redshift has: accepted without effect.
const IGNORED: &[&str] = &["query_group", "enable_result_cache_for_session"];

/// Client connection with an output buffer.
struct Connection {
    client: Client,
    buffer: Vec<u8>,
}

impl Connection {
    fn flush(&mut self) -> io::Result<()> {
        self.client.write_all(&self.buffer)?;
        self.buffer.clear();
        self.client.flush()
    }
}

impl MessageSink for Connection {
    fn message(&mut self, tag: u8, body: &[u8]) -> io::Result<()> {
        wire::write(&mut self.buffer, tag, body)?;
        if self.buffer.len() > 1 << 16 { self.flush() } else { Ok(()) }
    }
}

/// Serves a client until the connection ends.
pub(crate) fn serve(cluster: &Arc<Cluster>, tls: &Arc<ServerConfig>, stream: TcpStream) {
    let Ok(shut) = stream.try_clone() else { return };
    // An error closes the connection without a message, as a network failure does.
    let _ = run(cluster, tls, stream);
    let _ = shut.shutdown(std::net::Shutdown::Both);
}

fn run(cluster: &Arc<Cluster>, tls: &Arc<ServerConfig>, stream: TcpStream) -> io::Result<()> {
    let Some(startup) = read_startup(cluster, tls, stream)? else { return Ok(()) };
    let (client, encrypted, body) = startup;
    let mut out = Connection { client, buffer: Vec::new() };
    match start_session(cluster, &mut out, encrypted, &body) {
        Ok(Ok(mut session)) => {
            let ended = process_messages(&mut session, &mut out);
            if ended.is_ok() {
                session.backend.close();
                out.client.close();
            }
            cluster.remove_connection(session.number);
            ended
        }
        Ok(Err(report)) => {
            out.message(b'E', &report.body())?;
            out.flush()?;
            out.client.close();
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Negotiates TLS and reads the startup message; returns the stream, whether it is encrypted, and
/// the message's body.
///
/// Handles a cancel request itself and returns `None`.
fn read_startup(
    cluster: &Cluster,
    tls: &Arc<ServerConfig>,
    stream: TcpStream,
) -> io::Result<Option<(Client, bool, Vec<u8>)>> {
    let mut client = Client::Plain(stream);
    let mut encrypted = false;
    loop {
        let body = wire::read_untagged(&mut client)?;
        match (BodyReader(&body).int(), client) {
            (SSL_REQUEST, Client::Plain(mut plain)) => {
                plain.write_all(b"S")?;
                client = Client::start_tls(plain, tls)?;
                encrypted = true;
            }
            (GSS_REQUEST, mut same) => {
                same.write_all(b"N")?;
                client = same;
            }
            (CANCEL_REQUEST, _) => {
                backend::cancel(&cluster.target, body.get(4..12).unwrap_or_default())?;
                return Ok(None);
            }
            (_, same) => return Ok(Some((same, encrypted, body))),
        }
    }
}

/// Authenticates the user and opens the session, or returns the error that ends the connection.
fn start_session(
    cluster: &Arc<Cluster>,
    out: &mut Connection,
    encrypted: bool,
    body: &[u8],
) -> io::Result<Result<Session, Report>> {
    let (user, database, settings) = match startup_parameters(body) {
        Ok(parameters) => parameters,
        Err(report) => return Ok(Err(report)),
    };
    if !encrypted && !cluster.options.plain_text {
        let message = format!(
            "no pg_hba.conf entry for host \"127.0.0.1\", user \"{user}\", database \"{database}\", SSL off"
        );
        return Ok(Err(Report::fatal("28000", message)));
    }
    let Some(user) = authenticate(cluster, out, &user)? else {
        let message = format!("password authentication failed for user \"{user}\"");
        return Ok(Err(Report::fatal("28000", message)));
    };
    if database != cluster.options.database {
        return Ok(Err(Report::fatal("3D000", format!("database \"{database}\" does not exist"))));
    }
    let session = Session::open(cluster, &user.name, &settings, false)?;
    match &out.client {
        Client::Plain(stream) => cluster.add_connection(session.number, stream),
        Client::Tls(stream) => cluster.add_connection(session.number, &stream.sock),
    }
    out.message(b'R', &0_u32.to_be_bytes())?;
    let status = [
        ("server_version", "8.0.2"),
        ("server_encoding", "UNICODE"),
        ("client_encoding", "UNICODE"),
        ("DateStyle", "ISO, MDY"),
        ("TimeZone", "UTC"),
        ("integer_datetimes", "on"),
        ("is_superuser", "on"),
        ("session_authorization", user.name.as_str()),
    ];
    for (name, value) in status {
        out.message(b'S', &wire::strings(&[name, value]))?;
    }
    out.message(b'K', &session.backend.cancel_key)?;
    out.message(b'Z', b"I")?;
    out.flush()?;
    Ok(Ok(session))
}

/// Parses a startup message into user, database and settings for the backend.
fn startup_parameters(body: &[u8]) -> Result<(String, String, String), Report> {
    let mut body = BodyReader(body);
    let version = body.int();
    if version != PROTOCOL_3 {
        let (major, minor) = (version >> 16, version & 0xFFFF);
        let message =
            format!("unsupported frontend protocol {major}.{minor}: server supports 1.0 to 3.0");
        return Err(Report::fatal("0A000", message));
    }
    let (mut user, mut database, mut settings) = (String::new(), None, String::new());
    loop {
        let name = body.string();
        if name.is_empty() {
            break;
        }
        let value = body.string();
        let lower = name.to_ascii_lowercase();
        if !PARAMETERS.contains(&lower.as_str()) {
            return Err(unknown_parameter(&name));
        }
        match lower.as_str() {
            "user" => user = value,
            "database" => database = Some(value),
            "options" => settings.push_str(&backend_options(&value)?),
            _ => settings.push_str(&backend_setting(&name, &value)?),
        }
    }
    let database = database.unwrap_or_else(|| user.clone());
    Ok((user, database, settings))
}

fn unknown_parameter(name: &str) -> Report {
    Report::fatal("42704", format!("unrecognized configuration parameter \"{name}\""))
}

/// Translates the value of `options` (`-c name=value …`) into options of the backend.
fn backend_options(text: &str) -> Result<String, Report> {
    let mut settings = String::new();
    let mut arguments = text.split_whitespace();
    while let Some(argument) = arguments.next() {
        let pair = match argument {
            "-c" => arguments.next().unwrap_or_default(),
            argument => argument
                .strip_prefix("-c")
                .or(argument.strip_prefix("--"))
                .ok_or_else(|| unknown_parameter(argument))?,
        };
        let (name, value) = pair.split_once('=').ok_or_else(|| unknown_parameter(pair))?;
        settings.push_str(&backend_setting(name, value)?);
    }
    Ok(settings)
}

/// Translates one setting into an option of the backend, empty if it has no effect there.
fn backend_setting(name: &str, value: &str) -> Result<String, Report> {
    let lower = name.to_ascii_lowercase();
    if lower == "extra_float_digits" && !value.parse::<i32>().is_ok_and(|n| (-15..=2).contains(&n))
    {
        let message = format!(
            "{value} is outside the valid range for parameter \"extra_float_digits\" (-15 .. 2)"
        );
        return Err(Report::fatal("22023", message));
    }
    if SETTINGS.contains(&lower.as_str()) {
        let escaped = value.replace('\\', "\\\\").replace(' ', "\\ ");
        return Ok(format!(" -c {lower}={escaped}"));
    }
    let known = IGNORED.contains(&lower.as_str()) || PARAMETERS.contains(&lower.as_str());
    if known { Ok(String::new()) } else { Err(unknown_parameter(name)) }
}

/// Requests the password; returns `None` if it is wrong or the user is unknown.
///
/// An unknown user gets the same request and error as a known one, so that a client cannot
/// distinguish them.
fn authenticate(cluster: &Cluster, out: &mut Connection, name: &str) -> io::Result<Option<User>> {
    let user = cluster.find_user(name);
    let (salt, nonce) = (random::bytes::<4>(), random::bytes::<4>());
    let method = user.as_ref().map_or(Authentication::Md5, |user| user.authentication);
    let request = match method {
        Authentication::Md5 => [&5_u32.to_be_bytes()[..], &salt].concat(),
        Authentication::Clear => 3_u32.to_be_bytes().to_vec(),
        Authentication::Sha256 => sha256_request(&salt, &nonce),
    };
    out.message(b'R', &request)?;
    out.flush()?;
    let response = wire::read(&mut out.client)?;
    let given = BodyReader(&response.body).string();
    Ok(user.filter(|user| match (method, response.tag) {
        (Authentication::Md5, b'p') => {
            given == md5_hash(name.as_bytes(), user.password.as_bytes(), salt)
        }
        (Authentication::Clear, b'p') => given == user.password,
        (Authentication::Sha256, b'd') => {
            is_sha256_response(&response.body, &user.password, &salt, &nonce)
        }
        _ => false,
    }))
}

/// Builds authentication request 13: algorithm, salt and nonce, in the format that Amazon's drivers
/// parse.
fn sha256_request(salt: &[u8], nonce: &[u8]) -> Vec<u8> {
    let with_length =
        |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes()[..], bytes].concat();
    let number = |number: u32| number.to_be_bytes().to_vec();
    [number(13), number(0), with_length(salt), with_length(nonce)].concat()
}

/// Checks the response to authentication request 13: the digest and the client's nonce, each after
/// its length. Amazon's drivers compute SHA256(SHA256(password, salt), server nonce, client nonce).
fn is_sha256_response(body: &[u8], password: &str, salt: &[u8], nonce: &[u8]) -> bool {
    let field = |body: &mut Vec<u8>| -> Option<Vec<u8>> {
        let length = u32::from_be_bytes(body.get(..4)?.try_into().ok()?) as usize;
        let found = body.get(4..4 + length)?.to_vec();
        body.drain(..4 + length);
        Some(found)
    };
    let mut rest = body.to_vec();
    let (Some(digest), Some(client_nonce)) = (field(&mut rest), field(&mut rest)) else {
        return false;
    };
    let sha256 = |parts: &[&[u8]]| ring::digest::digest(&ring::digest::SHA256, &parts.concat());
    let stored = sha256(&[password.as_bytes(), salt]);
    let expected = sha256(&[stored.as_ref(), nonce, &client_nonce]);
    rest.is_empty() && digest == expected.as_ref()
}

/// Processes messages until the client sends Terminate.
fn process_messages(session: &mut Session, out: &mut Connection) -> io::Result<()> {
    let mut extended = Extended::default();
    loop {
        let message = wire::read(&mut out.client)?;
        match message.tag {
            b'X' => return Ok(()),
            b'Q' => session.query(&BodyReader(&message.body).string(), out)?,
            b'P' | b'B' | b'D' | b'E' | b'C' | b'S' | b'H' => {
                extended.message(session, &message, out)?;
            }
            // COPY data that the client sent before it received the error about COPY FROM STDIN.
            b'd' | b'c' | b'f' => {}
            tag => {
                let message = format!("invalid frontend message type {tag}");
                out.message(b'E', &Report::fatal("08P01", message).body())?;
                return out.flush();
            }
        }
        // Only these messages make a client wait for the response.
        if matches!(message.tag, b'Q' | b'S' | b'H') {
            out.flush()?;
        }
    }
}
