//! A client's connection from its first byte to its last: TLS, start-up, authentication, then messages.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;

use postgres_protocol::authentication::md5_hash;
use rustls::ServerConfig;

use crate::backend;
use crate::house::House;
use crate::options::{Authentication, User};
use crate::random;
use crate::session::{Extended, Session, Sink};
use crate::tls::Client;
use crate::wire::{self, Body, Report};

const SSL: i32 = 80_877_103;
const GSS: i32 = 80_877_104;
const CANCEL: i32 = 80_877_102;
const VERSION_3: i32 = 196_608;

/// Parameters that a client may name at start-up; `options` takes settings of the same kinds. What Amazon's drivers say of themselves is taken
/// too, and `DateStyle` and `TimeZone`, as sqlx sends them (launchbadge/sqlx#801).
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
];
/// Settings that the backend understands.
const SETTINGS: &[&str] =
    &["datestyle", "timezone", "search_path", "statement_timeout", "application_name"];
/// Settings that are Redshift's alone, and have no effect here.
const IGNORED: &[&str] = &["query_group", "enable_result_cache_for_session", "extra_float_digits"];

/// Messages for a client, written out when it is its turn.
struct Outgoing(Client, Vec<u8>);

impl Outgoing {
    fn flush(&mut self) -> io::Result<()> {
        self.0.write_all(&self.1)?;
        self.1.clear();
        self.0.flush()
    }
}

impl Sink for Outgoing {
    fn message(&mut self, tag: u8, body: &[u8]) -> io::Result<()> {
        wire::write(&mut self.1, tag, body)?;
        if self.1.len() > 1 << 16 { self.flush() } else { Ok(()) }
    }
}

/// Serves a client to its end.
pub(crate) fn serve(house: &Arc<House>, tls: &Arc<ServerConfig>, stream: TcpStream) {
    let Ok(shut) = stream.try_clone() else { return };
    // What is lost is lost without a word, as when a network fails.
    let _ = converse(house, tls, stream);
    let _ = shut.shutdown(std::net::Shutdown::Both);
}

fn converse(house: &Arc<House>, tls: &Arc<ServerConfig>, stream: TcpStream) -> io::Result<()> {
    let Some((client, secured, body)) = begin(house, tls, stream)? else { return Ok(()) };
    let mut out = Outgoing(client, Vec::new());
    match start(house, &mut out, secured, &body) {
        Ok(Ok(mut session)) => {
            let ended = messages(&mut session, &mut out);
            if ended.is_ok() {
                session.backend.close();
                out.0.close();
            }
            house.gone(session.number);
            ended
        }
        Ok(Err(report)) => {
            out.message(b'E', &report.body())?;
            out.flush()?;
            out.0.close();
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Up to the start-up message; a request to cancel ends here.
fn begin(
    house: &House,
    tls: &Arc<ServerConfig>,
    stream: TcpStream,
) -> io::Result<Option<(Client, bool, Vec<u8>)>> {
    let mut client = Client::Plain(stream);
    let mut secured = false;
    loop {
        let body = wire::read_untagged(&mut client)?;
        match (Body(&body).int(), client) {
            (SSL, Client::Plain(mut plain)) => {
                plain.write_all(b"S")?;
                client = Client::secured(plain, tls)?;
                secured = true;
            }
            (GSS, mut same) => {
                same.write_all(b"N")?;
                client = same;
            }
            (CANCEL, _) => {
                backend::cancel(&house.target, body.get(4..12).unwrap_or_default())?;
                return Ok(None);
            }
            (_, same) => return Ok(Some((same, secured, body))),
        }
    }
}

/// Authenticates, and opens the session.
fn start(
    house: &Arc<House>,
    out: &mut Outgoing,
    secured: bool,
    body: &[u8],
) -> io::Result<Result<Session, Report>> {
    let (user, database, settings) = match parameters(body) {
        Ok(parameters) => parameters,
        Err(report) => return Ok(Err(report)),
    };
    if !secured && !house.options.plain_text {
        let message = format!(
            "no pg_hba.conf entry for host \"127.0.0.1\", user \"{user}\", database \"{database}\", SSL off"
        );
        return Ok(Err(Report::fatal("28000", message)));
    }
    let Some(user) = authenticate(house, out, &user)? else {
        let message = format!("password authentication failed for user \"{user}\"");
        return Ok(Err(Report::fatal("28000", message)));
    };
    if database != house.options.database {
        return Ok(Err(Report::fatal("3D000", format!("database \"{database}\" does not exist"))));
    }
    let session = Session::open(house, &user.name, &settings, false)?;
    if let Client::Plain(stream) = &out.0 {
        house.connected(session.number, stream);
    } else if let Client::Tls(stream) = &out.0 {
        house.connected(session.number, &stream.sock);
    }
    out.message(b'R', &0_u32.to_be_bytes())?;
    let reported = [
        ("server_version", "8.0.2"),
        ("server_encoding", "UNICODE"),
        ("client_encoding", "UNICODE"),
        ("DateStyle", "ISO, MDY"),
        ("TimeZone", "UTC"),
        ("integer_datetimes", "on"),
        ("is_superuser", "on"),
        ("session_authorization", user.name.as_str()),
    ];
    for (name, value) in reported {
        out.message(b'S', &wire::strings(&[name, value]))?;
    }
    out.message(b'K', &session.backend.key)?;
    out.message(b'Z', b"I")?;
    out.flush()?;
    Ok(Ok(session))
}

/// User, database, and settings for the backend.
fn parameters(body: &[u8]) -> Result<(String, String, String), Report> {
    let mut body = Body(body);
    let version = body.int();
    if version != VERSION_3 {
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
            return Err(unknown(&name));
        }
        match lower.as_str() {
            "user" => user = value,
            "database" => database = Some(value),
            "options" => settings.push_str(&options(&value)?),
            _ => settings.push_str(&setting(&name, &value)?),
        }
    }
    let database = database.unwrap_or_else(|| user.clone());
    Ok((user, database, settings))
}

fn unknown(name: &str) -> Report {
    Report::fatal("22023", format!("unrecognized configuration parameter \"{name}\""))
}

/// `-c name=value …`.
fn options(text: &str) -> Result<String, Report> {
    let mut settings = String::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let pair = match word {
            "-c" => words.next().unwrap_or_default(),
            word => {
                word.strip_prefix("-c").or(word.strip_prefix("--")).ok_or_else(|| unknown(word))?
            }
        };
        let (name, value) = pair.split_once('=').ok_or_else(|| unknown(pair))?;
        settings.push_str(&setting(name, value)?);
    }
    Ok(settings)
}

fn setting(name: &str, value: &str) -> Result<String, Report> {
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
    if known { Ok(String::new()) } else { Err(unknown(name)) }
}

/// Asks for the password; `None` when it is wrong, or the user unknown, which a client cannot tell apart.
fn authenticate(house: &House, out: &mut Outgoing, name: &str) -> io::Result<Option<User>> {
    let user = house.user(name);
    let salt = random::bytes::<4>();
    let kind = user.as_ref().map_or(Authentication::Md5, |user| user.authentication);
    let request = match kind {
        Authentication::Md5 => [&5_u32.to_be_bytes()[..], &salt].concat(),
        Authentication::Clear => 3_u32.to_be_bytes().to_vec(),
        Authentication::Sha256 => digest_request(&salt),
    };
    out.message(b'R', &request)?;
    out.flush()?;
    let answer = wire::read(&mut out.0)?;
    let said = Body(&answer.body).string();
    Ok(user.filter(|user| match kind {
        _ if answer.tag != b'p' => false,
        Authentication::Md5 => said == md5_hash(name.as_bytes(), user.password.as_bytes(), salt),
        Authentication::Clear => said == user.password,
        Authentication::Sha256 => false,
    }))
}

/// Request 13: an algorithm, a salt, a nonce and a count of iterations, as Amazon's own drivers read it.
fn digest_request(salt: &[u8]) -> Vec<u8> {
    let part =
        |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes()[..], bytes].concat();
    let nonce = random::bytes::<4>();
    let numbers = |number: u32| number.to_be_bytes().to_vec();
    [numbers(13), numbers(0), part(salt), part(&nonce), numbers(1000)].concat()
}

/// Messages until the client says goodbye.
fn messages(session: &mut Session, out: &mut Outgoing) -> io::Result<()> {
    let mut extended = Extended::default();
    loop {
        let message = wire::read(&mut out.0)?;
        match message.tag {
            b'X' => return Ok(()),
            b'Q' => session.query(&Body(&message.body).string(), out)?,
            b'P' | b'B' | b'D' | b'E' | b'C' | b'S' | b'H' => {
                extended.message(session, &message, out)?;
            }
            // COPY data of a client that was told that there is no COPY from it.
            b'd' | b'c' | b'f' => {}
            tag => {
                let message = format!("invalid frontend message type {tag}");
                out.message(b'E', &Report::fatal("08P01", message).body())?;
                return out.flush();
            }
        }
        // A client waits for what it asked for, not for what it is still saying.
        if matches!(message.tag, b'Q' | b'S' | b'H') {
            out.flush()?;
        }
    }
}
