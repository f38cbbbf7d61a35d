//! What a failure means to people: what was tried, what the cluster said, what to do. No message repeats a password; servers do not either.

use std::io;

use super::message::Said;
use sparkify_config::Server;
use sparkify_config::redact::without_secrets;
use sparkify_postgres::wire;
use sparkify_warehouse::WarehouseError;

const PASSWORD: &str = "give it in PGPASSWORD, in ~/.pgpass, in the URL, or as DB_PASSWORD in `[CLUSTER]` of `dwh.cfg`";

/// The numbers of ways to prove who one is that only Amazon's own drivers speak, and of PostgreSQL's newer ones.
const DIGEST: u32 = 13;
const PROVIDER: u32 = 14;
const SASL: u32 = 10;

/// Whether the session ends with this.
pub(super) fn is_end(said: &Said) -> bool {
    said.code.starts_with("08") || ["57P01", "57P02", "57P03"].contains(&said.code.as_str())
}

/// An error below the protocol, in words.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed it".into(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer in time".into(),
        _ => without_secrets(&error.to_string()),
    }
}

/// The host was reached, and no session came of it.
pub(super) fn no_session(server: &Server, error: &io::Error) -> WarehouseError {
    let hint = "check that the cluster is available and its port is open to here; `?via=data-api` needs neither";
    wire::not_connected(server, words(error), hint)
}

/// The server said why not.
pub(super) fn denied(server: &Server, said: &Said) -> WarehouseError {
    let hint = match said.code.as_str() {
        "28P01" | "28000" => "check the user, the password and that the user may connect",
        "3D000" => {
            "create the database, or name another behind the host: `redshift://USER@HOST/DATABASE`"
        }
        "53300" => "wait until others are done",
        _ => "check the user, the database and the state of the cluster",
    };
    wire::not_connected(server, said.message.clone(), hint)
}

pub(super) fn no_password(server: &Server) -> WarehouseError {
    wire::not_connected(
        server,
        format!("the cluster asks for the password of `{}`", server.user),
        PASSWORD,
    )
}

pub(super) fn in_clear(server: &Server) -> WarehouseError {
    let hint = "leave `sslmode=disable` away";
    wire::not_connected(
        server,
        "the cluster wants the password as it is, and the way there is not encrypted",
        hint,
    )
}

/// It asks for a proof that is not spoken here.
pub(super) fn other_proof(server: &Server, way: u32) -> WarehouseError {
    let user = &server.user;
    let (reason, hint) = match way {
        DIGEST => (
            format!(
                "the password of `{user}` is kept as a SHA-256 digest, and only Amazon's own drivers prove such a one"
            ),
            "give this user a password kept as MD5 (`alter user … password 'md5…'`), or use `?via=data-api`",
        ),
        PROVIDER => (
            format!("`{user}` signs in through an identity provider"),
            "use a user with a password, or `?via=data-api`",
        ),
        SASL => (
            "the server asks for SCRAM, which no cluster does".to_owned(),
            "if this is a PostgreSQL server, name it as `postgres://…`",
        ),
        way => (
            format!("the server asks for a proof of kind {way}, which is not known here"),
            "use a user with a password, or `?via=data-api`",
        ),
    };
    wire::not_connected(server, reason, hint)
}

/// A statement failed, for reasons of the database.
pub(super) fn statement(said: &Said, statement: &str) -> WarehouseError {
    if is_conflict(said) {
        let detail = said.detail.as_deref().unwrap_or(&said.message);
        return WarehouseError::Conflict { message: first_line(detail) };
    }
    let message = match said.code.as_str() {
        "53100" => return WarehouseError::Full { message: said.message.clone() },
        "57014" => "the statement was interrupted".to_owned(),
        _ => told(said, statement),
    };
    WarehouseError::Statement { message, hint: said.hint.clone() }
}

/// Whether others did what this transaction cannot be reconciled with: 1023, or 1018 for what was created or dropped behind its back.
fn is_conflict(said: &Said) -> bool {
    let number = said.message.trim().trim_start_matches("ERROR:").trim();
    let numbered = ["1023", "1018"].iter().any(|known| {
        number
            .strip_prefix(known)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let detail = said.detail.as_deref().unwrap_or_default();
    let isolation =
        [number, detail].iter().any(|text| text.contains("erializable isolation violation"));
    numbered || isolation || said.code == "40001"
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// What the server said, with the line of the statement that it is about.
fn told(said: &Said, statement: &str) -> String {
    let mut text = said.message.trim().to_owned();
    if let Some(detail) = &said.detail {
        text = format!("{text}: {}", detail.trim().trim_end_matches('.'));
    }
    let Some(at) = said.position else { return text };
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
    fn a_conflict_is_told_from_other_failures_by_its_number() {
        let said = |message: &str| Said { message: message.into(), ..Said::default() };
        for message in ["1023", "ERROR: 1023 ", "1018", "1023 DETAIL: x"] {
            assert!(is_conflict(&said(message)), "{message}");
        }
        for message in ["10230", "value 1023 is out of range", "syntax error"] {
            assert!(!is_conflict(&said(message)), "{message}");
        }
    }
}
