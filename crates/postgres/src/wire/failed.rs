//! What a failure of the wire means to people: what was tried, what the server said, what to do.
//!
//! No message repeats what was sent as a password; servers do not either.

use std::error::Error as _;
use std::io;

use rustls::{CertificateError, Error as TlsError};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use sparkify_config::redact::without_secrets;
use sparkify_config::{Host, Server, TlsMode};
use sparkify_warehouse::WarehouseError;

/// Whether the connection is no more.
fn is_lost(error: &Error) -> bool {
    match error.as_db_error() {
        Some(said) => is_end(said.code()),
        None => error.is_closed() || cause::<io::Error>(error).is_some(),
    }
}

/// Codes behind which a server ends the session: it was told to, crashed, or is not up.
fn is_end(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [&SqlState::ADMIN_SHUTDOWN, &SqlState::CRASH_SHUTDOWN, &SqlState::CANNOT_CONNECT_NOW]
            .contains(&code)
}

/// No connection came about.
pub fn not_connected(
    server: &Server,
    reason: impl Into<String>,
    hint: impl Into<String>,
) -> WarehouseError {
    let (server, reason) = (server.to_string(), without_secrets(&reason.into()));
    WarehouseError::NotConnected { server, reason, hint: hint.into() }
}

pub(super) fn no_answer(server: &Server) -> WarehouseError {
    let seconds = server.connect_timeout.as_secs();
    let hint =
        "check the host, the port and the network between; `connect_timeout=SECONDS` waits longer";
    not_connected(server, format!("no answer within {seconds} s"), hint)
}

/// The host could not be reached.
pub fn unreachable(server: &Server, error: &io::Error) -> WarehouseError {
    let port = server.port;
    let (reason, hint) = match (&server.host, error.kind()) {
        (Host::Socket(folder), io::ErrorKind::NotFound) => (
            format!("there is no socket for port {port} in `{}`", folder.display()),
            "start the server, or name its host: `postgres://USER@HOST:PORT/DATABASE`",
        ),
        (Host::Tcp(name), io::ErrorKind::ConnectionRefused) => (
            format!("nothing listens at port {port} of `{name}`"),
            "start the server, or check the host and the port",
        ),
        _ => (error.to_string(), "check the host, the port and the network between"),
    };
    not_connected(server, reason, hint)
}

/// The host was reached, and no session came of it.
pub(super) fn refused(server: &Server, error: &Error) -> WarehouseError {
    if let Some(said) = error.as_db_error() {
        return denied(server, said);
    }
    if let Some(tls) = cause::<TlsError>(error) {
        let (reason, hint) = untrusted(server, tls);
        return not_connected(server, reason, hint);
    }
    let text = chain(error);
    let (reason, hint) = if text.contains("does not support TLS") {
        (
            "the server has no TLS".to_owned(),
            "turn `ssl` on there; `sslmode=disable` sends everything as it is",
        )
    } else if text.contains("password missing") {
        (format!("the server asks for the password of `{}`", server.user), PASSWORD)
    } else if text.contains("authentication") {
        (text, "let this user sign in with a password (scram-sha-256 or md5)")
    } else {
        (text, "check that a PostgreSQL server listens there")
    };
    not_connected(server, reason, hint)
}

const PASSWORD: &str = "give it in PGPASSWORD, in ~/.pgpass, or in the URL";

/// The server said why not.
fn denied(server: &Server, said: &DbError) -> WarehouseError {
    let (user, database) = (&server.user, &server.database);
    let (reason, hint) = match said.code() {
        &SqlState::INVALID_PASSWORD => (format!("the password of `{user}` is wrong"), PASSWORD),
        &SqlState::INVALID_CATALOG_NAME => (
            format!("there is no database `{database}`"),
            "create it, or name another behind the host: `postgres://USER@HOST/DATABASE`",
        ),
        &SqlState::TOO_MANY_CONNECTIONS => {
            (said.message().to_owned(), "wait until others are done, or raise max_connections")
        }
        &SqlState::INVALID_AUTHORIZATION_SPECIFICATION if server.tls == TlsMode::Disable => (
            said.message().to_owned(),
            "check the user; a server that wants TLS is asked with `sslmode=verify-full`",
        ),
        code if is_end(code) => (said.message().to_owned(), "wait until the server is up"),
        _ => (said.message().to_owned(), "check the user, and what pg_hba.conf of the server says"),
    };
    not_connected(server, reason, hint)
}

/// A handshake failed.
pub(super) fn tls_failed(server: &Server, error: &io::Error) -> WarehouseError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    let (reason, hint) = match inner {
        Some(tls) => untrusted(server, tls),
        None => (format!("TLS failed: {error}"), "check that the server speaks TLS 1.2 or later"),
    };
    not_connected(server, reason, hint)
}

/// Why the server's certificate was not believed.
fn untrusted(server: &Server, error: &TlsError) -> (String, &'static str) {
    const AUTHORITY: &str = "name the certificate of its authority with `sslrootcert=FILE`";
    let name = match &server.host {
        Host::Tcp(name) => name.as_str(),
        Host::Socket(_) => "",
    };
    let TlsError::InvalidCertificate(why) = error else {
        return (format!("TLS failed: {error}"), "check that the server speaks TLS 1.2 or later");
    };
    match why {
        CertificateError::UnknownIssuer => {
            ("nobody who is trusted here signed the server's certificate".into(), AUTHORITY)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the server's certificate is not for `{name}`"),
            "use the name that it is for; `sslmode=verify-ca` trusts it whatever its name",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the server's certificate has expired".into(),
            "renew it on the server, and check the clock here",
        ),
        _ => (format!("the server's certificate is not valid: {error}"), AUTHORITY),
    }
}

/// A statement failed.
pub(super) fn statement_failed(server: &Server, error: &Error, statement: &str) -> WarehouseError {
    let lost = || WarehouseError::Lost {
        server: server.to_string(),
        reason: without_secrets(
            &error.as_db_error().map_or_else(|| chain(error), |said| said.message().into()),
        ),
    };
    if is_lost(error) {
        return lost();
    }
    let Some(said) = error.as_db_error() else {
        return WarehouseError::Statement { message: without_secrets(&chain(error)), hint: None };
    };
    let (message, hint) = match said.code() {
        &SqlState::DISK_FULL => return WarehouseError::Full { message: said.message().into() },
        &SqlState::QUERY_CANCELED if said.message().contains("user request") => {
            ("the statement was interrupted".to_owned(), None)
        }
        &SqlState::READ_ONLY_SQL_TRANSACTION => (
            "the statement would change the warehouse, which is open for reading alone".into(),
            Some("queries read; `sparkify etl` writes".into()),
        ),
        &SqlState::INSUFFICIENT_PRIVILEGE => (
            said.message().to_owned(),
            Some(format!(
                "`{}` lacks a right: docs/postgres.md has what a role needs",
                server.user
            )),
        ),
        &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE => {
            (said.message().to_owned(), Some("somebody else changed the same; run it again".into()))
        }
        _ => (told(said, statement), said.hint().map(uncapitalised)),
    };
    WarehouseError::Statement { message, hint }
}

/// What the server said, with where in the statement.
fn told(said: &DbError, statement: &str) -> String {
    let mut text = said.message().to_owned();
    if let Some(detail) = said.detail() {
        text = format!("{text}: {}", uncapitalised(detail));
    }
    let Some(ErrorPosition::Original(at)) = said.position() else { return text };
    let at = usize::try_from(*at).unwrap_or(1).saturating_sub(1);
    let before: String = statement.chars().take(at).collect();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = statement[start..].lines().next().unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let place = before[start..].chars().count();
    let head = format!("LINE {number}: ");
    format!("{text}\n\n{head}{line}\n{:>1$}", "^", head.len() + place + 1)
}

fn uncapitalised(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let second = letters.clone().nth(1);
    match letters.next() {
        // An abbreviation stays as it is.
        Some(first) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        Some(first) => [first].into_iter().chain(letters).collect(),
        None => String::new(),
    }
}

/// The cause of this type, however deep.
fn cause<T: std::error::Error + 'static>(error: &Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // What an `io::Error` wraps is not among its sources, but its own.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<T>()) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The failure and its causes in one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        // Some repeat what they wrap.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::uncapitalised;

    #[test]
    fn what_a_server_says_begins_as_our_messages_do() {
        assert_eq!(uncapitalised("Key (a)=(1) already exists."), "key (a)=(1) already exists");
        assert_eq!(uncapitalised("SSL is off."), "SSL is off");
        assert_eq!(uncapitalised(""), "");
    }
}
