//! Connection settings of a server: address, user, password and TLS.
//!
//! The URL format is libpq's: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`, with
//! percent-encoded parts, IPv6 addresses in brackets and the folder of a socket as
//! `?host=/run/postgresql`. Missing parts come from the environment (PGHOST …), and the password
//! finally from the password file. By default, TLS is required and the server's name is verified;
//! see [`TlsMode`].

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, DataApiTarget, Secret, pgpass, suggest};

/// Lookup of an environment variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Default schema of the tables.
pub const DEFAULT_SCHEMA: &str = "public";
/// Folders of the server's socket: as Debian packages set it, and PostgreSQL's own default.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum length of an identifier in bytes; a server truncates longer ones.
const MAX_IDENTIFIER: usize = 63;
const PARAMETERS: [&str; 12] = [
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
const UNKNOWN_PARAMETER: &str = "use the parameters sslmode, sslrootcert, schema, connect_timeout, application_name, options, passfile, host, port, user, password and dbname";

/// Address on which a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// Host name or IP address.
    Tcp(String),
    /// Folder of a Unix socket.
    Socket(PathBuf),
}

/// TLS requirements of a connection, as libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// No encryption. Used only if requested, and by default for Unix sockets; on PostgreSQL also
    /// for loopback addresses, whose traffic never leaves the machine.
    Disable,
    /// Encryption without verification of the server; with `sslrootcert` the same as `VerifyCa`, as
    /// in libpq.
    Require,
    /// Encryption, and a certificate that a trusted authority signed. The default for Redshift at a
    /// loopback address: the other end of a tunnel has a certificate for its own name.
    VerifyCa,
    /// As `VerifyCa`, and the certificate is valid for the host name. The default.
    VerifyFull,
}

/// Connection settings of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Scheme of the URL, for messages.
    pub scheme: &'static str,
    /// Host name, address or socket.
    pub host: Host,
    /// TCP port, which also names the socket.
    pub port: u16,
    /// Database user.
    pub user: String,
    /// Name of the database.
    pub database: String,
    /// Password from the URL, the environment or the password file.
    pub password: Option<Secret>,
    /// Schema of the tables.
    pub schema: String,
    /// TLS requirements.
    pub tls: TlsMode,
    /// File of trusted root certificates; none uses the system's.
    pub root_certificates: Option<PathBuf>,
    /// Timeout of establishing a connection.
    pub connect_timeout: Duration,
    /// Application name, as the server's list of sessions shows it.
    pub application_name: String,
    /// Settings of the session, as libpq's `options`: `-c statement_timeout=1min`.
    pub options: Option<String>,
    /// True if a superuser may run statements that a user wrote.
    pub allows_superuser: bool,
    /// Target of Amazon's Data API, which is then used instead of a connection to the host.
    pub data_api: Option<DataApiTarget>,
    /// Warnings about the password file.
    pub warnings: Vec<String>,
}

/// Scheme and defaults of a kind of server.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerKind {
    pub scheme: &'static str,
    pub port: u16,
    /// TLS at a loopback address.
    pub loopback_tls: TlsMode,
}

impl Server {
    /// Parses the URL `written`; `rest` is its part after the scheme. Missing parts come from the
    /// environment.
    pub(super) fn resolve(
        kind: ServerKind,
        written: &str,
        rest: &str,
        schema: Option<String>,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigError> {
        let parts = UrlParts::parse(rest).map_err(|hint| malformed(written, hint))?;
        let pick = |name: &str, variable: &str| parts.get(name).or_else(|| environment(variable));
        let host = pick("host", "PGHOST").map_or_else(default_host, |host| parse_host(&host));
        let port = match pick("port", "PGPORT") {
            None => kind.port,
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
                malformed(written, "give a port from 1 to 65535; encode `:`, `/` and `@` in a password as %3A, %2F and %40")
            })?,
        };
        let user = pick("user", "PGUSER").or_else(|| environment("USER"));
        let user =
            user.ok_or_else(|| malformed(written, "name the user as `USER@`, or set PGUSER"))?;
        let database = pick("dbname", "PGDATABASE").unwrap_or_else(|| user.clone());
        let schema = parts.get("schema").or(schema).unwrap_or_else(|| DEFAULT_SCHEMA.into());
        check_schema(&schema)?;
        let seconds = pick("connect_timeout", "PGCONNECT_TIMEOUT");
        let root_certificates = pick("sslrootcert", "PGSSLROOTCERT");
        let mode = pick("sslmode", "PGSSLMODE");
        let tls = tls(mode.as_deref(), &host, root_certificates.is_some(), kind.loopback_tls)
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
            connect_timeout: match seconds {
                None => CONNECT_TIMEOUT,
                Some(seconds) => seconds
                    .parse()
                    .ok()
                    .filter(|seconds| *seconds > 0)
                    .map(Duration::from_secs)
                    .ok_or_else(|| {
                        malformed(
                            written,
                            "give connect_timeout as a number of seconds of at least 1",
                        )
                    })?,
            },
            application_name: pick("application_name", "PGAPPNAME")
                .unwrap_or_else(|| "sparkify".into()),
            options: pick("options", "PGOPTIONS"),
            allows_superuser: false,
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

    /// Returns true if the host is a socket, `localhost` or a loopback address.
    pub fn is_local(&self) -> bool {
        is_local(&self.host)
    }
}

/// Formats the URL without the password.
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

/// Names and values of the parts of a URL.
struct UrlParts(Vec<(&'static str, String)>);

impl UrlParts {
    /// Parses a URL without its scheme. Errors quote no part of the URL, since any part may be a
    /// piece of a password.
    fn parse(rest: &str) -> Result<Self, &'static str> {
        let rest =
            rest.strip_prefix("//").ok_or("write it as `postgres://USER@HOST:PORT/DATABASE`")?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = before.split_once('/').unwrap_or((before, ""));
        let (credentials, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) =
            credentials.split_once(':').map_or((credentials, None), |(user, it)| (user, Some(it)));
        let (host, port) = match address.strip_prefix('[') {
            Some(address) => {
                let (address, port) =
                    address.split_once(']').ok_or("enclose an IPv6 address in `[` and `]`")?;
                (address, port.strip_prefix(':').unwrap_or(port))
            }
            None => address.split_once(':').unwrap_or((address, "")),
        };
        if host.contains(',') {
            return Err("name only one host");
        }
        let mut parts = Self(Vec::new());
        let named = [("user", user), ("host", host), ("port", port), ("dbname", database)];
        for (name, value) in named.into_iter().chain(password.map(|it| ("password", it))) {
            parts.push(name, value)?;
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or("write parameters after `?` as `NAME=VALUE`, separated by `&`")?;
            let known = PARAMETERS.iter().find(|known| **known == name);
            parts.push(known.ok_or(UNKNOWN_PARAMETER)?, value)?;
        }
        Ok(parts)
    }

    fn push(&mut self, name: &'static str, value: &str) -> Result<(), &'static str> {
        if !value.is_empty() {
            self.0.push((name, percent_decode(value)?));
        }
        Ok(())
    }

    /// Returns the last value of `name`: a parameter overrides the same part before the `?`.
    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

fn percent_decode(value: &str) -> Result<String, &'static str> {
    const INVALID: &str = "write two hexadecimal digits after `%`; write `%` itself as `%25`";
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let digit = |at: usize| tail.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let (high, low) = digit(0).zip(digit(1)).ok_or(INVALID)?;
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| INVALID)?);
        rest = &tail[2..];
    }
    let text = String::from_utf8(bytes).map_err(|_| "percent-encode the URL's parts as UTF-8")?;
    if text.contains('\0') { Err("remove the zero byte (`%00`)") } else { Ok(text) }
}

fn parse_host(written: &str) -> Host {
    if written.starts_with('/') { Host::Socket(written.into()) } else { Host::Tcp(written.into()) }
}

fn default_host() -> Host {
    let existing = SOCKET_FOLDERS.iter().find(|folder| std::path::Path::new(folder).is_dir());
    Host::Socket(existing.unwrap_or(&SOCKET_FOLDERS[0]).into())
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

fn tls(
    mode: Option<&str>,
    host: &Host,
    has_roots: bool,
    loopback: TlsMode,
) -> Result<TlsMode, &'static str> {
    let mode = match mode {
        None if matches!(host, Host::Socket(_)) => return Ok(TlsMode::Disable),
        None if is_local(host) && !has_roots => return Ok(loopback),
        Some("disable") => TlsMode::Disable,
        Some("require") if has_roots => TlsMode::VerifyCa,
        Some("require") => TlsMode::Require,
        Some("verify-ca") => TlsMode::VerifyCa,
        None | Some("verify-full") => TlsMode::VerifyFull,
        Some("allow" | "prefer") => {
            return Err(
                "set sslmode to disable, require, verify-ca or verify-full; `allow` and `prefer` do not guarantee encryption",
            );
        }
        Some(_) => return Err("set sslmode to disable, require, verify-ca or verify-full"),
    };
    if matches!(host, Host::Socket(_)) && mode != TlsMode::Disable {
        return Err("Unix sockets have no TLS: omit sslmode, or name a host");
    }
    Ok(mode)
}

fn check_schema(name: &str) -> Result<(), ConfigError> {
    let valid =
        !name.is_empty() && name.len() <= MAX_IDENTIFIER && !name.contains(char::is_control);
    let reserved = name.starts_with("pg_") || name == "information_schema";
    if valid && !reserved {
        return Ok(());
    }
    let hint = "use a name of at most 63 bytes that does not begin with `pg_`";
    Err(ConfigError::Value { name: "the schema", written: name.into(), hint })
}

pub(super) fn malformed(written: &str, hint: impl Into<String>) -> ConfigError {
    let hint = hint.into();
    let pairs = written.split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('='));
    let unknown = pairs.map(|(name, _)| name).find(|name| !PARAMETERS.contains(name));
    let hint = match unknown {
        Some(name) if hint == UNKNOWN_PARAMETER => suggest::hint(name, PARAMETERS, &hint),
        _ => hint,
    };
    ConfigError::Warehouse { written: redacted(written), hint }
}

/// Returns the part of an invalid URL that cannot contain a password: from the last `@` to a `?`.
fn redacted(written: &str) -> String {
    let scheme = written.split(':').next().unwrap_or_default();
    match written.rsplit_once('@') {
        Some((_, address)) => {
            let (address, more) =
                address.split_once('?').map_or((address, ""), |(it, _)| (it, "?…"));
            format!("{scheme}://****@{}{more}", address.replace(char::is_control, " "))
        }
        None => format!("{scheme}://…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTGRES: ServerKind =
        ServerKind { scheme: "postgres", port: 5432, loopback_tls: TlsMode::Disable };

    fn with(url: &str, set: &[(&str, &str)]) -> Result<Server, ConfigError> {
        let environment = |name: &str| {
            let found = set.iter().find(|(set, _)| *set == name).map(|(_, value)| *value);
            // Keeps the password file of the user who runs the tests out of it.
            found.or((name == "PGPASSFILE").then_some("/nowhere/pgpass")).map(str::to_owned)
        };
        let rest = url.split_once(':').unwrap().1;
        Server::resolve(POSTGRES, url, rest, None, &environment)
    }

    fn parse(url: &str) -> Server {
        with(url, &[]).unwrap()
    }

    #[test]
    fn every_part_of_a_url_is_parsed() {
        let server = parse(
            "postgres://me%40home:p%2F%25%C3%A9@db.example:6000/my%20db?schema=Mine&connect_timeout=3",
        );
        assert_eq!(server.host, Host::Tcp("db.example".into()));
        assert_eq!((server.port, server.user.as_str()), (6000, "me@home"));
        assert_eq!(server.password.as_ref().unwrap().reveal(), "p/%é");
        assert_eq!((server.database.as_str(), server.schema.as_str()), ("my db", "Mine"));
        assert_eq!((server.tls, server.connect_timeout.as_secs()), (TlsMode::VerifyFull, 3));
        assert_eq!(server.to_string(), "postgres://me@home@db.example:6000/my db?schema=Mine");
        let server = parse("postgresql://me:a@b@c@[2001:db8::1]/d");
        assert_eq!(server.host, Host::Tcp("2001:db8::1".into()));
        assert_eq!(server.password.unwrap().reveal(), "a@b@c");
        let socket = parse("postgres://me@/d?host=/run/x&port=7");
        assert_eq!((socket.host, socket.port), (Host::Socket("/run/x".into()), 7));
    }

    #[test]
    fn missing_parts_come_from_the_environment() {
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
    fn only_local_connections_are_not_encrypted() {
        let of = |url: &str| parse(url).tls;
        for local in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.9/d",
            "postgres://u@[::1]/d",
            "postgres://u@/d?host=/tmp",
        ] {
            assert_eq!(of(local), TlsMode::Disable, "{local}");
        }
        for remote in [
            "postgres://u@10.0.0.1/d",
            "postgres://u@localhost.example/d",
            "postgres://u@localhost/d?sslrootcert=ca.pem",
        ] {
            assert_eq!(of(remote), TlsMode::VerifyFull, "{remote}");
        }
        assert_eq!(of("postgres://u@h/d?sslmode=require&sslrootcert=ca.pem"), TlsMode::VerifyCa);
        for wrong in ["prefer", "allow", "yes"] {
            assert!(with(&format!("postgres://u@h/d?sslmode={wrong}"), &[]).is_err(), "{wrong}");
        }
        assert!(with("postgres://u@/d?host=/tmp&sslmode=verify-full", &[]).is_err());
    }

    #[test]
    fn errors_do_not_contain_the_password() {
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
        assert!(!format!("{:?}", parse("postgres://me:s3cr@h/d")).contains("s3cr"));
    }

    #[test]
    fn a_schema_is_a_valid_name() {
        for wrong in ["pg_mine", "information_schema", "a%00b", &"x".repeat(64)] {
            assert!(with(&format!("postgres://u@h/d?schema={wrong}"), &[]).is_err(), "{wrong}");
        }
    }
}
