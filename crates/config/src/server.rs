//! A warehouse that is a server: who is asked, as whom, and how the way there is guarded.
//!
//! The form is libpq's: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`, every part in percent-encoding, an IPv6 address in brackets, a
//! socket's folder as `?host=/run/postgresql`. What the URL leaves out comes from the environment (PGHOST …), the password at last from the password
//! file. Between here and the server everything is encrypted and the server's name verified, unless somebody says otherwise; see [`TlsMode`].

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, DataApiTarget, Secret, pgpass, suggest};

/// What looks a variable of the environment up.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The schema of the tables when nobody names one.
pub const DEFAULT_SCHEMA: &str = "public";
/// Where Debian's packages put the socket, and where the server itself does.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The longest name that a server keeps whole.
const LONGEST_NAME: usize = 63;
const KNOWN: [&str; 12] = [
    "sslmode",
    "sslrootcert",
    "schema",
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "passfile",
    "connect_timeout",
    "application_name",
    "options",
];

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name or an address.
    Tcp(String),
    /// The folder of a Unix socket.
    Socket(PathBuf),
}

/// What of the server is verified before a password is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Nothing is encrypted. Only where it is asked for, through a Unix socket, and to a loopback address: what never leaves the machine.
    Disable,
    /// Encrypted, to whoever answers; with `sslrootcert` the same as `VerifyCa`, as libpq has it.
    Require,
    /// Encrypted, to a server whose certificate a trusted authority signed.
    VerifyCa,
    /// The same, and the certificate is for the name that was asked for. The default.
    VerifyFull,
}

/// A server and everything that it takes to talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The URL's scheme, for messages.
    pub scheme: &'static str,
    /// Where it listens.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// As whom.
    pub user: String,
    /// The database.
    pub database: String,
    /// The password, if anybody gave one.
    pub password: Option<Secret>,
    /// The schema of the tables.
    pub schema: String,
    /// How the way is guarded.
    pub tls: TlsMode,
    /// The authorities that are trusted: a file of certificates, or the system's.
    pub root_certificates: Option<PathBuf>,
    /// How long a connection may take to come about.
    pub connect_within: Duration,
    /// What the server's list of sessions shows.
    pub application: String,
    /// Settings of the session, as libpq's `options`: `-c statement_timeout=1min`.
    pub options: Option<String>,
    /// Who is asked instead of the host, through Amazon's Data API.
    pub data_api: Option<DataApiTarget>,
    /// What was odd about finding all this out, each as a line for people.
    pub warnings: Vec<String>,
}

/// A kind of server as its URLs have it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub scheme: &'static str,
    pub port: u16,
}

impl Server {
    /// Reads `written`, whose scheme has been taken off it in `rest`, and fills in what it leaves out.
    pub(super) fn resolve(
        kind: Kind,
        written: &str,
        rest: &str,
        schema: Option<String>,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigError> {
        let parts = Parts::read(rest).map_err(|hint| malformed(written, hint))?;
        let pick = |name: &str, variable: &str| parts.get(name).or_else(|| environment(variable));
        let host = pick("host", "PGHOST").map_or_else(default_host, |host| host_of(&host));
        let port = match pick("port", "PGPORT") {
            None => kind.port,
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
                malformed(written, "the port is a number from 1 to 65535; encode `:`, `/` and `@` in a password as %3A, %2F and %40")
            })?,
        };
        let user = pick("user", "PGUSER").or_else(|| environment("USER"));
        let user = user.ok_or_else(|| malformed(written, "say as whom, `USER@`, or set PGUSER"))?;
        let database = pick("dbname", "PGDATABASE").unwrap_or_else(|| user.clone());
        let schema = parts.get("schema").or(schema).unwrap_or_else(|| DEFAULT_SCHEMA.into());
        check_schema(&schema)?;
        let seconds = pick("connect_timeout", "PGCONNECT_TIMEOUT");
        let root_certificates = pick("sslrootcert", "PGSSLROOTCERT");
        let mode = pick("sslmode", "PGSSLMODE");
        let tls = tls(mode.as_deref(), &host, root_certificates.is_some())
            .map_err(|hint| malformed(written, hint))?;
        let mut server = Self {
            scheme: kind.scheme,
            tls,
            host,
            port,
            user,
            database,
            password: None,
            schema,
            root_certificates: root_certificates.filter(|file| file != "system").map(Into::into),
            connect_within: match seconds {
                None => CONNECT_WITHIN,
                Some(seconds) => seconds
                    .parse()
                    .ok()
                    .filter(|seconds| *seconds > 0)
                    .map(Duration::from_secs)
                    .ok_or_else(|| {
                        malformed(written, "connect_timeout is a number of seconds from 1 on")
                    })?,
            },
            application: pick("application_name", "PGAPPNAME").unwrap_or_else(|| "sparkify".into()),
            options: pick("options", "PGOPTIONS"),
            data_api: None,
            warnings: Vec::new(),
        };
        let given = parts.get("password").or_else(|| environment("PGPASSWORD"));
        server.password = match given {
            Some(password) => Some(Secret::new(password)),
            None => pgpass::look_up(&mut server, parts.get("passfile"), environment)?,
        };
        Ok(server)
    }

    /// Whether what is said to it never leaves this machine, by what its host is called.
    pub fn is_local(&self) -> bool {
        is_local(&self.host)
    }
}

/// As a URL without the password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, user, port, database, .. } = self;
        if let Some(target) = &self.data_api {
            return write!(f, "{target}/{database}");
        }
        match &self.host {
            Host::Tcp(name) if name.contains(':') => {
                write!(f, "{scheme}://{user}@[{name}]:{port}/{database}")?;
            }
            Host::Tcp(name) => write!(f, "{scheme}://{user}@{name}:{port}/{database}")?,
            Host::Socket(folder) => {
                let folder = folder.display();
                write!(f, "{scheme}://{user}@/{database}?host={folder}&port={port}")?;
            }
        }
        if self.schema == DEFAULT_SCHEMA {
            return Ok(());
        }
        let before = if matches!(self.host, Host::Socket(_)) { '&' } else { '?' };
        write!(f, "{before}schema={}", self.schema)
    }
}

/// What a URL says, name and value.
struct Parts(Vec<(&'static str, String)>);

impl Parts {
    /// What is wrong is said without any part of the URL: any of them may be a piece of a password.
    fn read(rest: &str) -> Result<Self, &'static str> {
        let rest =
            rest.strip_prefix("//").ok_or("write it as `postgres://USER@HOST:PORT/DATABASE`")?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = before.split_once('/').unwrap_or((before, ""));
        let (who, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) =
            who.split_once(':').map_or((who, None), |(user, it)| (user, Some(it)));
        let (host, port) = match place.strip_prefix('[') {
            Some(address) => {
                let (address, port) =
                    address.split_once(']').ok_or("an IPv6 address stands in `[` and `]`")?;
                (address, port.strip_prefix(':').unwrap_or(port))
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        if host.contains(',') {
            return Err("name one host");
        }
        let mut parts = Self(Vec::new());
        let named = [("user", user), ("host", host), ("port", port), ("dbname", database)];
        for (name, value) in named.into_iter().chain(password.map(|it| ("password", it))) {
            parts.take(name, value)?;
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or("behind `?` stand pairs `NAME=VALUE` with `&` between them")?;
            let known = KNOWN.iter().find(|known| **known == name);
            parts.take(known.ok_or("behind `?` may stand sslmode, sslrootcert, schema, connect_timeout, application_name, options, passfile, host, port, user, password and dbname")?, value)?;
        }
        Ok(parts)
    }

    fn take(&mut self, name: &'static str, value: &str) -> Result<(), &'static str> {
        if !value.is_empty() {
            self.0.push((name, decoded(value)?));
        }
        Ok(())
    }

    /// What was said last counts.
    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

fn decoded(value: &str) -> Result<String, &'static str> {
    const WRONG: &str = "`%` stands before two hexadecimal digits; `%` itself is `%25`";
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = behind;
            continue;
        }
        let digit = |at: usize| behind.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let (high, low) = digit(0).zip(digit(1)).ok_or(WRONG)?;
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| WRONG)?);
        rest = &behind[2..];
    }
    let text = String::from_utf8(bytes).map_err(|_| "its parts are UTF-8 in percent-encoding")?;
    if text.contains('\0') { Err("no part of it holds a zero byte") } else { Ok(text) }
}

fn host_of(written: &str) -> Host {
    if written.starts_with('/') { Host::Socket(written.into()) } else { Host::Tcp(written.into()) }
}

fn default_host() -> Host {
    let here = SOCKET_FOLDERS.iter().find(|folder| std::path::Path::new(folder).is_dir());
    Host::Socket(here.unwrap_or(&SOCKET_FOLDERS[0]).into())
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Socket(_) => true,
        Host::Tcp(name) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn tls(mode: Option<&str>, host: &Host, has_roots: bool) -> Result<TlsMode, &'static str> {
    let mode = match mode {
        None if matches!(host, Host::Socket(_)) || is_local(host) && !has_roots => {
            return Ok(TlsMode::Disable);
        }
        Some("disable") => TlsMode::Disable,
        Some("require") if has_roots => TlsMode::VerifyCa,
        Some("require") => TlsMode::Require,
        Some("verify-ca") => TlsMode::VerifyCa,
        None | Some("verify-full") => TlsMode::VerifyFull,
        Some("allow" | "prefer") => {
            return Err(
                "sslmode may be disable, require, verify-ca or verify-full: with `allow` and `prefer` nobody knows whether anything is encrypted",
            );
        }
        Some(_) => return Err("sslmode may be disable, require, verify-ca or verify-full"),
    };
    if matches!(host, Host::Socket(_)) && mode != TlsMode::Disable {
        return Err("through a Unix socket there is no TLS: leave sslmode out, or name a host");
    }
    Ok(mode)
}

fn check_schema(name: &str) -> Result<(), ConfigError> {
    let ours = !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(char::is_control);
    let reserved = name.starts_with("pg_") || name == "information_schema";
    if ours && !reserved {
        return Ok(());
    }
    let hint = "a schema's name has at most 63 bytes and does not begin with `pg_`";
    Err(ConfigError::Value { what: "the schema", written: name.into(), hint })
}

pub(super) fn malformed(written: &str, hint: impl Into<String>) -> ConfigError {
    let hint = hint.into();
    let odd = written.split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('='));
    let odd = odd.map(|(name, _)| name).find(|name| !KNOWN.contains(name));
    let hint = match odd {
        Some(name) if hint.starts_with("behind `?` may") => suggest::hint(name, KNOWN, &hint),
        _ => hint,
    };
    ConfigError::Warehouse { written: shown(written), hint }
}

/// As much of a URL that was not understood as cannot be a piece of a password: what stands between the last `@` and a `?`.
fn shown(written: &str) -> String {
    let scheme = written.split(':').next().unwrap_or_default();
    match written.rsplit_once('@') {
        Some((_, place)) => {
            let (place, more) = place.split_once('?').map_or((place, ""), |(it, _)| (it, "?…"));
            format!("{scheme}://****@{}{more}", place.replace(char::is_control, " "))
        }
        None => format!("{scheme}://…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTGRES: Kind = Kind { scheme: "postgres", port: 5432 };

    fn with(url: &str, set: &[(&str, &str)]) -> Result<Server, ConfigError> {
        let environment = |name: &str| {
            let found = set.iter().find(|(set, _)| *set == name).map(|(_, value)| *value);
            // No password file of whoever runs the tests.
            found.or((name == "PGPASSFILE").then_some("/nowhere/pgpass")).map(str::to_owned)
        };
        let rest = url.split_once(':').unwrap().1;
        Server::resolve(POSTGRES, url, rest, None, &environment)
    }

    fn read(url: &str) -> Server {
        with(url, &[]).unwrap()
    }

    #[test]
    fn every_part_of_a_url_is_understood() {
        let server = read(
            "postgres://me%40home:p%2F%25%C3%A9@db.example:6000/my%20db?schema=Mine&connect_timeout=3",
        );
        assert_eq!(server.host, Host::Tcp("db.example".into()));
        assert_eq!((server.port, server.user.as_str()), (6000, "me@home"));
        assert_eq!(server.password.as_ref().unwrap().reveal(), "p/%é");
        assert_eq!((server.database.as_str(), server.schema.as_str()), ("my db", "Mine"));
        assert_eq!((server.tls, server.connect_within.as_secs()), (TlsMode::VerifyFull, 3));
        assert_eq!(server.to_string(), "postgres://me@home@db.example:6000/my db?schema=Mine");
        let server = read("postgresql://me:a@b@c@[2001:db8::1]/d");
        assert_eq!(server.host, Host::Tcp("2001:db8::1".into()));
        assert_eq!(server.password.unwrap().reveal(), "a@b@c");
        let socket = read("postgres://me@/d?host=/run/x&port=7");
        assert_eq!((socket.host, socket.port), (Host::Socket("/run/x".into()), 7));
    }

    #[test]
    fn what_a_url_leaves_out_is_in_the_environment() {
        let set = [
            ("PGHOST", "h.example"),
            ("PGPORT", "7"),
            ("PGUSER", "u"),
            ("PGPASSWORD", "p"),
            ("PGSSLMODE", "require"),
        ];
        let server = with("postgres://", &set).unwrap();
        assert_eq!((server.host, server.port), (Host::Tcp("h.example".into()), 7));
        assert_eq!((server.user.as_str(), server.database.as_str()), ("u", "u"));
        assert_eq!((server.password.unwrap().reveal(), server.tls), ("p", TlsMode::Require));
        let server = with("postgres://me:mine@other.example/d?sslmode=verify-ca", &set).unwrap();
        assert_eq!((server.user.as_str(), server.database.as_str()), ("me", "d"));
        assert_eq!((server.password.unwrap().reveal(), server.tls), ("mine", TlsMode::VerifyCa));
    }

    #[test]
    fn only_what_never_leaves_the_machine_is_not_encrypted() {
        let of = |url: &str| read(url).tls;
        for local in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.9/d",
            "postgres://u@[::1]/d",
            "postgres://u@/d?host=/tmp",
        ] {
            assert_eq!(of(local), TlsMode::Disable, "{local}");
        }
        for far in [
            "postgres://u@10.0.0.1/d",
            "postgres://u@localhost.example/d",
            "postgres://u@localhost/d?sslrootcert=ca.pem",
        ] {
            assert_eq!(of(far), TlsMode::VerifyFull, "{far}");
        }
        assert_eq!(of("postgres://u@h/d?sslmode=require&sslrootcert=ca.pem"), TlsMode::VerifyCa);
        for wrong in ["prefer", "allow", "yes"] {
            assert!(with(&format!("postgres://u@h/d?sslmode={wrong}"), &[]).is_err(), "{wrong}");
        }
        assert!(with("postgres://u@/d?host=/tmp&sslmode=verify-full", &[]).is_err());
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for url in [
            "postgres://me:s3cr@h:x/d",
            "postgres://me:s3cr/et@h/d",
            "postgres://me:s3c%zzr@h/d",
            "postgres://me@h/d?passwort=s3cr",
            "postgres://me@h/d?password=s3cr&sslmode=prefer",
            "postgres://me:s3cr@[::1/d",
        ] {
            let error = with(url, &[]).unwrap_err();
            let shown = format!("{error} {error:?} {}", error.hint());
            assert!(!shown.contains("s3c"), "{shown}");
        }
        let hint = with("postgres://me@h/d?sslmod=disable", &[]).unwrap_err().hint();
        assert_eq!(hint, "did you mean `sslmode`?");
        assert!(!format!("{:?}", read("postgres://me:s3cr@h/d")).contains("s3cr"));
    }

    #[test]
    fn a_schema_is_a_name() {
        for wrong in ["pg_mine", "information_schema", "a%00b", &"x".repeat(64)] {
            assert!(with(&format!("postgres://u@h/d?schema={wrong}"), &[]).is_err(), "{wrong}");
        }
    }
}
