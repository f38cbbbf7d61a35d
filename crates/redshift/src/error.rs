//! Conversion of server and network errors to warehouse errors, with hints. No message contains a
//! password.

use std::io;

use super::message::ServerError;
use sparkify_config::redact::without_secrets;
use sparkify_config::{Host, Server, TlsMode};
use sparkify_postgres::wire;
use sparkify_warehouse::WarehouseError;

const PASSWORD: &str = "set PGPASSWORD, or give the password in ~/.pgpass, in the URL, or as DB_PASSWORD in `[CLUSTER]` of `dwh.cfg`";

/// Authentication request codes: 13 (password digest, here of an unknown algorithm) and 14
/// (identity provider) are extensions of Redshift; 10 (SASL) is sent by PostgreSQL servers only.
const AUTH_DIGEST: u32 = 13;
const AUTH_IDENTITY_PROVIDER: u32 = 14;
const AUTH_SASL: u32 = 10;

/// Returns true if the error ends the session: a connection exception (class 08), or a shutdown of
/// the server (57P01 to 57P03).
pub(super) fn ends_session(error: &ServerError) -> bool {
    error.code.starts_with("08") || ["57P01", "57P02", "57P03"].contains(&error.code.as_str())
}

/// Returns the message for an I/O error of the connection.
pub(super) fn io_message(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed the connection".into(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no response in time".into(),
        _ => without_secrets(&error.to_string()),
    }
}

/// Error of a host that cannot be reached. Packets to an address in a private network get no
/// response.
pub fn unreachable(server: &Server, error: &io::Error) -> WarehouseError {
    let Host::Tcp(name) = &server.host else { return wire::unreachable(server, error) };
    let is_silent = [io::ErrorKind::TimedOut, io::ErrorKind::HostUnreachable]
        .contains(&error.kind())
        || error.kind() == io::ErrorKind::NetworkUnreachable;
    if !is_silent {
        return wire::unreachable(server, error);
    }
    let Server { port, connect_timeout, database, .. } = server;
    let reason = format!("no response from port {port} within {} s", connect_timeout.as_secs());
    let data_api = match name.split('.').collect::<Vec<_>>().as_slice() {
        [name, _, _, "redshift-serverless", ..] => format!("redshift:workgroup/{name}/{database}"),
        [name, _, _, "redshift", ..] => format!("redshift:cluster/{name}/{database}"),
        _ => "redshift:cluster/NAME/DATABASE".to_owned(),
    };
    let hint = format!(
        "a cluster that is not public is reachable only from its VPC: use the Data API with `--warehouse {data_api}`, a tunnel, or `sparkify cluster up --public`; if it is public, check that a security group rule allows this address"
    );
    wire::not_connected(server, reason, hint)
}

/// Error of a connection that failed before the session started.
pub(super) fn no_session(server: &Server, error: &io::Error) -> WarehouseError {
    let hint = "check that the cluster is available and its port is reachable from this machine, or use `?via=data-api`";
    wire::not_connected(server, io_message(error), hint)
}

/// Error of a sign-in that the server refused.
pub(super) fn sign_in_refused(server: &Server, error: &ServerError) -> WarehouseError {
    let hint = match error.code.as_str() {
        // The refusal of a connection without TLS, in PostgreSQL's words.
        _ if server.tls == TlsMode::Disable && error.message.ends_with("SSL off") => {
            "the cluster requires TLS: remove `sslmode=disable`"
        }
        "28P01" | "28000" => "check the user, the password and that the user may connect",
        "3D000" => {
            "create the database, or give another after the host: `redshift://USER@HOST/DATABASE`"
        }
        "53300" => "wait until other sessions end, or raise the connection limit",
        _ => "check the user, the database and the state of the cluster",
    };
    wire::not_connected(server, error.message.clone(), hint)
}

pub(super) fn no_password(server: &Server) -> WarehouseError {
    wire::not_connected(
        server,
        format!("the cluster requires a password for `{}`", server.user),
        PASSWORD,
    )
}

pub(super) fn cleartext_refused(server: &Server) -> WarehouseError {
    let hint = "remove `sslmode=disable`";
    wire::not_connected(
        server,
        "the cluster requests the password in clear text, but the connection is not encrypted",
        hint,
    )
}

/// Error of an authentication method that this program does not support.
pub(super) fn unsupported_authentication(server: &Server, method: u32) -> WarehouseError {
    let user = &server.user;
    let (reason, hint) = match method {
        AUTH_DIGEST => (
            format!("the password of `{user}` is stored as a digest of an unsupported algorithm"),
            "store the password of this user as a SHA-256 or MD5 digest, or use `?via=data-api`",
        ),
        AUTH_IDENTITY_PROVIDER => (
            format!("`{user}` signs in through an identity provider"),
            "use a user with a password, or `?via=data-api`",
        ),
        AUTH_SASL => (
            "the server requests SCRAM, which Redshift does not use".to_owned(),
            "if this is a PostgreSQL server, use a `postgres://…` URL",
        ),
        method => (
            format!("the server requests unsupported authentication method {method}"),
            "use a user with a password, or `?via=data-api`",
        ),
    };
    wire::not_connected(server, reason, hint)
}

/// Classifies the server's error for a statement.
pub(super) fn statement(error: &ServerError, statement: &str) -> WarehouseError {
    if is_conflict(error) {
        let detail = error.detail.as_deref().unwrap_or(&error.message);
        return WarehouseError::Conflict { message: first_line(detail) };
    }
    let message = match error.code.as_str() {
        // Disk full.
        "53100" => return WarehouseError::Full { message: error.message.clone() },
        // Query cancelled.
        "57014" => "the statement was interrupted".to_owned(),
        _ => statement_message(error, statement),
    };
    WarehouseError::Statement { message, hint: error.hint.clone() }
}

/// Returns true for a conflict with a concurrent transaction: 1023 (serializable isolation
/// violation), 1018 (a relation was created or dropped concurrently), or SQLSTATE 40001.
///
/// Redshift reports the number at the start of the message, under the generic SQLSTATE `XX000`.
fn is_conflict(error: &ServerError) -> bool {
    let number = error.message.trim().trim_start_matches("ERROR:").trim();
    let numbered = ["1023", "1018"].iter().any(|known| {
        number
            .strip_prefix(known)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let detail = error.detail.as_deref().unwrap_or_default();
    let isolation =
        [number, detail].iter().any(|text| text.contains("erializable isolation violation"));
    numbered || isolation || error.code == "40001"
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// Returns the server's message, with the line of the statement that it refers to and a caret below
/// the position.
fn statement_message(error: &ServerError, statement: &str) -> String {
    let mut text = error.message.trim().to_owned();
    if let Some(detail) = &error.detail {
        text = format!("{text}: {}", detail.trim().trim_end_matches('.'));
    }
    let Some(at) = error.position else { return text };
    let before: String = statement.chars().take(at.saturating_sub(1)).collect();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = statement[start..].lines().next().unwrap_or_default();
    let head = format!("LINE {}: ", before.matches('\n').count() + 1);
    let place = before[start..].chars().count();
    format!("{text}\n\n{head}{line}\n{:>1$}", "^", head.len() + place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_address_that_is_silent_names_the_data_api() {
        let server = |host: &str| {
            let url = format!("redshift://dwhuser:s3cr@{host}:5439/dwh");
            let flags = sparkify_config::Flags {
                warehouse: Some(url),
                config: Some("/dev/null".into()),
                ..sparkify_config::Flags::default()
            };
            match sparkify_config::Settings::resolve(&flags).unwrap().warehouse {
                sparkify_config::WarehouseUrl::Redshift(server) => server,
                other => panic!("{other}"),
            }
        };
        let timed_out = io::Error::from(io::ErrorKind::TimedOut);
        for (host, url) in [
            ("one.abc1.us-west-2.redshift.amazonaws.com", "redshift:cluster/one/dwh"),
            (
                "wg.123456789012.us-west-2.redshift-serverless.amazonaws.com",
                "redshift:workgroup/wg/dwh",
            ),
            ("10.0.0.7", "redshift:cluster/NAME/DATABASE"),
        ] {
            let error = unreachable(&server(host), &timed_out);
            let WarehouseError::NotConnected { reason, hint, .. } = &error else {
                panic!("{error}")
            };
            assert!(reason.contains("no response from port 5439 within 10 s"), "{reason}");
            assert!(hint.contains("reachable only from its VPC"), "{hint}");
            assert!(hint.contains(&format!("`--warehouse {url}`")), "{hint}");
        }
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(unreachable(&server("h"), &refused).to_string().contains("no server listens"));
    }

    #[test]
    fn a_conflict_is_recognised_by_its_number() {
        let error =
            |message: &str| ServerError { message: message.into(), ..ServerError::default() };
        for message in ["1023", "ERROR: 1023 ", "1018", "1023 DETAIL: x"] {
            assert!(is_conflict(&error(message)), "{message}");
        }
        for message in ["10230", "value 1023 is out of range", "syntax error"] {
            assert!(!is_conflict(&error(message)), "{message}");
        }
    }
}
