//! What the backend answers, on its way to the client: the fields, types and parameters of Redshift's version.

use std::io;

use super::{Session, Sink};
use crate::faults::serializable;
use crate::log::Outcome;
use crate::wire::{self, Body, Message, Report};

/// PostgreSQL's `json`, which plays SUPER, and `bytea`, which plays VARBYTE; and the types' numbers in Redshift.
const TYPES: &[(i32, i32)] = &[(114, 4000), (17, 6551)];
const VARBYTE: i32 = 6551;

/// Passes messages of one answer on.
#[derive(Default)]
pub(crate) struct Passage {
    /// Which columns of the rows are VARBYTE in text form.
    varbyte: Vec<bool>,
    /// Whether the backend got the text that the client sent: only then do positions fit.
    pub(crate) unchanged: bool,
    /// How the statement ended.
    pub(crate) outcome: Option<Outcome>,
}

impl Passage {
    /// Passes one message on.
    pub(crate) fn pass(&mut self, message: &Message, out: &mut dyn Sink) -> io::Result<()> {
        match message.tag {
            b'T' => out.message(b'T', &self.columns(&message.body)),
            b't' => out.message(b't', &parameters(&message.body)),
            b'D' if self.varbyte.contains(&true) => out.message(b'D', &self.row(&message.body)),
            b'E' => {
                let report = translated(Report::parse(&message.body), !self.unchanged);
                let passed = out.message(b'E', &report.body());
                self.outcome = Some(Outcome::Failed(report));
                passed
            }
            b'N' => out.message(b'N', &Report::parse(&message.body).body()),
            b'S' => match parameter(&message.body) {
                Some(body) => out.message(b'S', &body),
                None => Ok(()),
            },
            b'C' | b'I' => {
                let tag = Body(&message.body).string();
                // Version 8.0 does not count what it selects.
                let tag = if tag.starts_with("SELECT ") { "SELECT".to_owned() } else { tag };
                let body = if message.tag == b'C' { wire::strings(&[&tag]) } else { Vec::new() };
                self.outcome = Some(Outcome::Done(tag));
                out.message(message.tag, &body)
            }
            // Answers of the server to nobody, and COPY to or from the client, which is refused before.
            b'A' | b'Z' | b'G' | b'H' | b'W' | b'd' | b'c' => Ok(()),
            tag => out.message(tag, &message.body),
        }
    }

    /// A `RowDescription` with Redshift's types.
    fn columns(&mut self, body: &[u8]) -> Vec<u8> {
        let mut body = Body(body);
        let mut out = body.bytes(2).to_vec();
        self.varbyte.clear();
        while !body.0.is_empty() {
            out.extend(wire::strings(&[&body.string()]));
            out.extend_from_slice(body.bytes(6));
            let kind = redshift_type(body.int());
            out.extend_from_slice(&kind.to_be_bytes());
            out.extend_from_slice(body.bytes(6));
            let format = body.short();
            out.extend_from_slice(&format.to_be_bytes());
            self.varbyte.push(kind == VARBYTE && format == 0);
        }
        out
    }

    /// A row whose VARBYTE values are hexadecimal digits alone (DG/r_VARBYTE_type.html).
    fn row(&self, body: &[u8]) -> Vec<u8> {
        let values = wire::values(body);
        let shown = values.iter().zip(&self.varbyte).map(|(value, varbyte)| {
            value.map(|value| match value.strip_prefix(b"\\x") {
                Some(digits) if *varbyte => digits.to_vec(),
                _ => value.to_vec(),
            })
        });
        wire::row(&shown.collect::<Vec<_>>())
    }
}

fn redshift_type(oid: i32) -> i32 {
    TYPES.iter().find(|(from, _)| *from == oid).map_or(oid, |(_, to)| *to)
}

/// A `ParameterDescription` with Redshift's types.
fn parameters(body: &[u8]) -> Vec<u8> {
    let mut body = Body(body);
    let mut out = body.bytes(2).to_vec();
    while !body.0.is_empty() {
        out.extend_from_slice(&redshift_type(body.int()).to_be_bytes());
    }
    out
}

/// A `ParameterStatus`, if Redshift reports that parameter.
fn parameter(body: &[u8]) -> Option<Vec<u8>> {
    let mut body = Body(body);
    let (name, value) = (body.string(), body.string());
    match name.as_str() {
        "client_encoding" => Some(wire::strings(&[&name, "UNICODE"])),
        "DateStyle" | "TimeZone" | "is_superuser" | "session_authorization" => {
            Some(wire::strings(&[&name, &value]))
        }
        _ => None,
    }
}

/// An error of the backend's as Redshift words it.
pub(crate) fn translated(report: Report, changed: bool) -> Report {
    match report.code.as_str() {
        "40001" => serializable(),
        // DG/r_MERGE.html
        "21000" if report.message.starts_with("MERGE command cannot affect row a second time") => {
            Report::error("XX000", "Found multiple matches to update the same tuple.")
        }
        _ if changed => Report { position: None, ..report },
        _ => report,
    }
}

impl Session {
    /// Sends a statement, and passes its answer on.
    pub(super) fn relay(
        &mut self,
        text: &str,
        unchanged: bool,
        out: &mut dyn Sink,
    ) -> io::Result<Outcome> {
        let mut passage = Passage { unchanged, ..Passage::default() };
        self.backend.query(text)?;
        loop {
            let message = self.backend.receive()?;
            passage.pass(&message, out)?;
            match message.tag {
                b'Z' => return Ok(passage.outcome.unwrap_or(Outcome::Done(String::new()))),
                b'G' => self.backend.send(b'f', &wire::strings(&["not from a client"]))?,
                _ => {}
            }
        }
    }
}
