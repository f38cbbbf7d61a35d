//! Conversion of connection and statement errors to [`WarehouseError`]s with reason and hint.
//!
//! No message contains a password.

use std::error::Error as _;
use std::io;

use rustls::{CertificateError, Error as TlsError};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use sparkify_config::redact::without_secrets;
use sparkify_config::{Host, Server, TlsMode};
use sparkify_warehouse::WarehouseError;

/// Returns true if the connection is lost.
fn is_lost(error: &Error) -> bool {
    match error.as_db_error() {
        Some(error) => ends_session(error.code()),
        None => error.is_closed() || cause::<io::Error>(error).is_some(),
    }
}

/// Returns true for codes after which the server closes the session: shutdown, crash or startup.
fn ends_session(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [&SqlState::ADMIN_SHUTDOWN, &SqlState::CRASH_SHUTDOWN, &SqlState::CANNOT_CONNECT_NOW]
            .contains(&code)
}

/// Creates the error of a connection that cannot be established.
pub fn not_connected(
    server: &Server,
    reason: impl Into<String>,
    hint: impl Into<String>,
) -> WarehouseError {
    let (server, reason) = (server.to_string(), without_secrets(&reason.into()));
    WarehouseError::NotConnected { server, reason, hint: hint.into() }
}

pub(super) fn connect_timed_out(server: &Server) -> WarehouseError {
    let seconds = server.connect_timeout.as_secs();
    let hint =
        "check the host, the port and the network; `connect_timeout=SECONDS` sets the timeout";
    not_connected(server, format!("no response within {seconds} s"), hint)
}

/// Creates the error of a host that cannot be reached.
pub fn unreachable(server: &Server, error: &io::Error) -> WarehouseError {
    let port = server.port;
    let (reason, hint) = match (&server.host, error.kind()) {
        (Host::Socket(folder), io::ErrorKind::NotFound) => (
            format!("there is no socket for port {port} in `{}`", folder.display()),
            "start the server, or set its host: `postgres://USER@HOST:PORT/DATABASE`",
        ),
        (Host::Tcp(name), io::ErrorKind::ConnectionRefused) => (
            format!("no server listens on port {port} of `{name}`"),
            "start the server, or check the host and the port",
        ),
        _ => (error.to_string(), "check the host, the port and the network"),
    };
    not_connected(server, reason, hint)
}

/// Creates the error of a host that was reached, but where no session could be established.
pub(super) fn refused(server: &Server, error: &Error) -> WarehouseError {
    if let Some(error) = error.as_db_error() {
        return denied(server, error);
    }
    if let Some(tls) = cause::<TlsError>(error) {
        let (reason, hint) = tls_reason(server, tls);
        return not_connected(server, reason, hint);
    }
    let text = chain(error);
    let (reason, hint) = if text.contains("does not support TLS") {
        (
            "the server does not support TLS".to_owned(),
            "set `ssl = on` on the server; `sslmode=disable` sends everything unencrypted",
        )
    } else if text.contains("password missing") {
        (format!("the server requires a password for `{}`", server.user), PASSWORD_HINT)
    } else if text.contains("authentication") {
        (text, "allow password authentication (scram-sha-256 or md5) for this user")
    } else {
        (text, "check that a PostgreSQL server listens on this port")
    };
    not_connected(server, reason, hint)
}

const PASSWORD_HINT: &str = "set it in PGPASSWORD, in ~/.pgpass, or in the URL";

/// Converts the server's refusal of a session.
fn denied(server: &Server, error: &DbError) -> WarehouseError {
    let (user, database) = (&server.user, &server.database);
    let message = error.message().to_owned();
    let (reason, hint) = match error.code() {
        &SqlState::INVALID_PASSWORD => {
            (format!("the password of `{user}` is wrong"), PASSWORD_HINT)
        }
        &SqlState::INVALID_CATALOG_NAME => (
            format!("there is no database `{database}`"),
            "create it, or use another one: `postgres://USER@HOST/DATABASE`",
        ),
        &SqlState::TOO_MANY_CONNECTIONS => {
            (message, "wait until other connections are closed, or raise max_connections")
        }
        &SqlState::INVALID_AUTHORIZATION_SPECIFICATION if server.tls == TlsMode::Disable => {
            (message, "check the user; if the server requires TLS, set `sslmode=verify-full`")
        }
        code if ends_session(code) => (message, "wait until the server is running"),
        _ => (message, "check the user and pg_hba.conf of the server"),
    };
    not_connected(server, reason, hint)
}

/// Converts an error of the TLS handshake.
pub(super) fn tls_failed(server: &Server, error: &io::Error) -> WarehouseError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    let (reason, hint) = match inner {
        Some(tls) => tls_reason(server, tls),
        None => (format!("TLS failed: {error}"), TLS_VERSION_HINT),
    };
    not_connected(server, reason, hint)
}

const TLS_VERSION_HINT: &str = "check that the server supports TLS 1.2 or later";

/// Returns reason and hint for a TLS error.
fn tls_reason(server: &Server, error: &TlsError) -> (String, &'static str) {
    const AUTHORITY_HINT: &str = "set the certificate of its authority with `sslrootcert=FILE`";
    let name = match &server.host {
        Host::Tcp(name) => name.as_str(),
        Host::Socket(_) => "",
    };
    let TlsError::InvalidCertificate(cause) = error else {
        return (format!("TLS failed: {error}"), TLS_VERSION_HINT);
    };
    match cause {
        CertificateError::UnknownIssuer => {
            ("the server's certificate is not signed by a trusted authority".into(), AUTHORITY_HINT)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the server's certificate is not for `{name}`"),
            "use a host name of the certificate; `sslmode=verify-ca` accepts any name",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the server's certificate has expired".into(),
            "renew it on the server, and check the clock of this machine",
        ),
        _ => (format!("the server's certificate is not valid: {error}"), AUTHORITY_HINT),
    }
}

/// Converts an error of a statement.
pub(super) fn statement_failed(server: &Server, error: &Error, statement: &str) -> WarehouseError {
    let lost = || WarehouseError::Lost {
        server: server.to_string(),
        reason: without_secrets(
            &error.as_db_error().map_or_else(|| chain(error), |error| error.message().into()),
        ),
    };
    if is_lost(error) {
        return lost();
    }
    let Some(error) = error.as_db_error() else {
        return WarehouseError::Statement { message: without_secrets(&chain(error)), hint: None };
    };
    let (message, hint) = match error.code() {
        &SqlState::DISK_FULL => return WarehouseError::Full { message: error.message().into() },
        &SqlState::QUERY_CANCELED if error.message().contains("user request") => {
            ("the statement was interrupted".to_owned(), None)
        }
        &SqlState::READ_ONLY_SQL_TRANSACTION => (
            "the statement would change the warehouse, which is open read-only".into(),
            Some("queries can only read; load data with `sparkify etl`".into()),
        ),
        &SqlState::INSUFFICIENT_PRIVILEGE => (
            error.message().to_owned(),
            Some(format!(
                "`{}` lacks a privilege: docs/how-to/postgres.md lists what a role needs",
                server.user
            )),
        ),
        &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE => {
            let hint = "another session changed the same rows; retry";
            (error.message().to_owned(), Some(hint.into()))
        }
        _ => (with_position(error, statement), error.hint().map(uncapitalised)),
    };
    WarehouseError::Statement { message, hint }
}

/// Returns the server's message, followed by the line of the statement and a marker at the error,
/// as psql shows it.
fn with_position(error: &DbError, statement: &str) -> String {
    let mut text = error.message().to_owned();
    if let Some(detail) = error.detail() {
        text = format!("{text}: {}", uncapitalised(detail));
    }
    let Some(ErrorPosition::Original(at)) = error.position() else { return text };
    let at = usize::try_from(*at).unwrap_or(1).saturating_sub(1);
    let before: String = statement.chars().take(at).collect();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = statement[start..].lines().next().unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let column = before[start..].chars().count();
    let head = format!("LINE {number}: ");
    format!("{text}\n\n{head}{line}\n{:>1$}", "^", head.len() + column + 1)
}

fn uncapitalised(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let second = letters.clone().nth(1);
    match letters.next() {
        // Keeps abbreviations such as `SSL`.
        Some(first) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        Some(first) => [first].into_iter().chain(letters).collect(),
        None => String::new(),
    }
}

/// Returns the first error of this type in the chain of causes.
fn cause<T: std::error::Error + 'static>(error: &Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // The error that an `io::Error` wraps is not its source, so it is inspected separately.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<T>()) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Returns the error and its causes in one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        // Some errors repeat the text of their cause.
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
    fn messages_begin_in_lower_case_except_abbreviations() {
        assert_eq!(uncapitalised("Key (a)=(1) already exists."), "key (a)=(1) already exists");
        assert_eq!(uncapitalised("SSL is off."), "SSL is off");
        assert_eq!(uncapitalised(""), "");
    }
}
