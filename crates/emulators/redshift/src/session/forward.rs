//! Forwarding of backend messages to the client, translated to Redshift's fields, types, parameters
//! and errors.

use std::io;

use super::{MessageSink, Session};
use crate::faults::serialization_error;
use crate::log::Outcome;
use crate::wire::{self, BodyReader, Message, Report};

/// Type OIDs in PostgreSQL and in Redshift: `json` is SUPER, `bytea` is VARBYTE.
const TYPES: &[(i32, i32)] = &[(114, 4000), (17, 6551)];
const VARBYTE: i32 = 6551;

/// Forwards the messages of one response.
#[derive(Default)]
pub(crate) struct Forwarder {
    /// True for each column that is a VARBYTE in text format.
    pub(crate) varbyte: Vec<bool>,
    /// True if the backend got the client's text, so that error positions are valid.
    pub(crate) unchanged: bool,
    /// Outcome of the statement, once it ended.
    pub(crate) outcome: Option<Outcome>,
}

impl Forwarder {
    /// Forwards one message.
    pub(crate) fn message(
        &mut self,
        message: &Message,
        out: &mut dyn MessageSink,
    ) -> io::Result<()> {
        match message.tag {
            b'T' => out.message(b'T', &self.columns(&message.body)),
            b't' => out.message(b't', &parameters(&message.body)),
            b'D' if self.varbyte.contains(&true) => out.message(b'D', &self.row(&message.body)),
            b'E' => {
                let report = translate_error(Report::parse(&message.body), !self.unchanged);
                let sent = out.message(b'E', &report.body());
                self.outcome = Some(Outcome::Failed(report));
                sent
            }
            b'N' => out.message(b'N', &Report::parse(&message.body).body()),
            b'S' => match parameter(&message.body) {
                Some(body) => out.message(b'S', &body),
                None => Ok(()),
            },
            b'C' | b'I' => {
                let tag = BodyReader(&message.body).string();
                // Version 8.0 sends no row count for SELECT.
                let tag = if tag.starts_with("SELECT ") { "SELECT".to_owned() } else { tag };
                let body = if message.tag == b'C' { wire::strings(&[&tag]) } else { Vec::new() };
                self.outcome = Some(Outcome::Done(tag));
                out.message(message.tag, &body)
            }
            // Not forwarded: notifications, `ReadyForQuery`, which the session sends itself, and
            // client-side COPY, which the statement check rejects.
            b'A' | b'Z' | b'G' | b'H' | b'W' | b'd' | b'c' => Ok(()),
            tag => out.message(tag, &message.body),
        }
    }

    /// Translates a `RowDescription` to Redshift's types.
    fn columns(&mut self, body: &[u8]) -> Vec<u8> {
        let mut body = BodyReader(body);
        let mut out = body.bytes(2).to_vec();
        self.varbyte.clear();
        while !body.0.is_empty() {
            out.extend(wire::strings(&[&body.string()]));
            out.extend_from_slice(body.bytes(6));
            let oid = redshift_type(body.int());
            out.extend_from_slice(&oid.to_be_bytes());
            out.extend_from_slice(body.bytes(6));
            let format = body.short();
            out.extend_from_slice(&format.to_be_bytes());
            self.varbyte.push(oid == VARBYTE && format == 0);
        }
        out
    }

    /// Removes the prefix `\x` from VARBYTE values (DG/r_VARBYTE_type.html).
    fn row(&self, body: &[u8]) -> Vec<u8> {
        let values = wire::values(body);
        let converted = values.iter().zip(&self.varbyte).map(|(value, varbyte)| {
            value.map(|value| match value.strip_prefix(b"\\x") {
                Some(digits) if *varbyte => digits.to_vec(),
                _ => value.to_vec(),
            })
        });
        wire::row(&converted.collect::<Vec<_>>())
    }
}

fn redshift_type(oid: i32) -> i32 {
    TYPES.iter().find(|(from, _)| *from == oid).map_or(oid, |(_, to)| *to)
}

/// Translates a `ParameterDescription` to Redshift's types.
fn parameters(body: &[u8]) -> Vec<u8> {
    let mut body = BodyReader(body);
    let mut out = body.bytes(2).to_vec();
    while !body.0.is_empty() {
        out.extend_from_slice(&redshift_type(body.int()).to_be_bytes());
    }
    out
}

/// Translates a `ParameterStatus`; returns `None` if Redshift does not report the parameter.
fn parameter(body: &[u8]) -> Option<Vec<u8>> {
    let mut body = BodyReader(body);
    let (name, value) = (body.string(), body.string());
    match name.as_str() {
        "client_encoding" => Some(wire::strings(&[&name, "UNICODE"])),
        "DateStyle" | "TimeZone" | "is_superuser" | "session_authorization" => {
            Some(wire::strings(&[&name, &value]))
        }
        _ => None,
    }
}

/// Translates a backend error to Redshift's wording.
///
/// `rewritten` drops the error position, which refers to the rewritten text.
pub(crate) fn translate_error(report: Report, rewritten: bool) -> Report {
    match report.code.as_str() {
        "40001" => serialization_error(),
        // DG/r_MERGE.html
        "21000" if report.message.starts_with("MERGE command cannot affect row a second time") => {
            Report::error("XX000", "Found multiple matches to update the same tuple.")
        }
        _ if rewritten => Report { position: None, ..report },
        _ => report,
    }
}

impl Session {
    /// Sends a statement to the backend and forwards the response.
    pub(super) fn forward(
        &mut self,
        text: &str,
        unchanged: bool,
        out: &mut dyn MessageSink,
    ) -> io::Result<Outcome> {
        let mut forwarder = Forwarder { unchanged, ..Forwarder::default() };
        self.backend.send_query(text)?;
        loop {
            let message = self.backend.receive()?;
            forwarder.message(&message, out)?;
            match message.tag {
                b'Z' => return Ok(forwarder.outcome.unwrap_or(Outcome::Done(String::new()))),
                b'G' => self.backend.send(b'f', &wire::strings(&["not from a client"]))?,
                _ => {}
            }
        }
    }
}
