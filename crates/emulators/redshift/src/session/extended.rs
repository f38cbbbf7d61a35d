//! Extended query protocol: Parse, Bind, Describe, Execute, Close, Flush and Sync.
//!
//! The proxy forwards each message with a Flush and waits for the response. It can therefore check
//! statements at Parse and apply faults at Execute. A statement that the backend must not run, such
//! as COPY, is prepared there as an empty statement.

use std::collections::HashMap;
use std::io;

use super::forward::Forwarder;
use super::{FAILING_STATEMENT, FaultAction, MessageSink, Session, injected_disconnect};
use crate::faults::StatementKind;
use crate::lexer::tokens;
use crate::log::Outcome;
use crate::rewrite::{self, Plan};
use crate::wire::{self, BodyReader, Message, Report};

/// Prepared statement.
#[derive(Clone)]
struct Prepared {
    /// SQL as the client sent it.
    text: String,
    plan: Plan,
    /// True for each column that is a VARBYTE in text format, once the statement was described.
    varbyte: Vec<bool>,
}

/// State of the extended protocol between messages.
#[derive(Default)]
pub(crate) struct Extended {
    prepared: HashMap<String, Prepared>,
    portals: HashMap<String, Prepared>,
    /// True after an error: all messages up to Sync are ignored.
    skipping: bool,
    /// Statements of the proxy to run after the next Sync.
    follow_up: Vec<String>,
    /// True if the transaction must be committed after the next Sync.
    commit: bool,
}

impl Extended {
    /// Processes one message.
    pub(crate) fn message(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut dyn MessageSink,
    ) -> io::Result<()> {
        if message.tag == b'S' {
            return self.sync(session, out);
        }
        if self.skipping || message.tag == b'H' {
            return Ok(());
        }
        match message.tag {
            b'P' => self.parse(session, &message.body, out),
            b'B' => self.bind(session, message, out),
            b'E' => self.execute(session, message, out),
            b'D' => self.describe(session, message, out),
            tag => self.forward(session, tag, &message.body, out).map(|_| ()),
        }
    }

    /// Forwards Describe, and notes the columns that Execute must translate.
    fn describe(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut dyn MessageSink,
    ) -> io::Result<()> {
        let mut forwarder = Forwarder::default();
        self.forward_with(session, &mut forwarder, (b'D', &message.body), out)?;
        let mut body = BodyReader(&message.body);
        let described = match body.bytes(1) {
            b"S" => self.prepared.get_mut(&body.string()),
            _ => self.portals.get_mut(&body.string()),
        };
        if let Some(described) = described {
            described.varbyte = forwarder.varbyte;
        }
        Ok(())
    }

    fn sync(&mut self, session: &mut Session, out: &mut dyn MessageSink) -> io::Result<()> {
        self.skipping = false;
        session.backend.send(b'S', &[])?;
        let mut forwarder = Forwarder::default();
        loop {
            let message = session.backend.receive()?;
            if message.tag == b'Z' {
                break;
            }
            forwarder.message(&message, out)?;
        }
        for statement in self.follow_up.drain(..) {
            let _ = session.backend.query(&statement)?;
        }
        if std::mem::take(&mut self.commit) && session.status() == b'T' {
            let _ = session.backend.query("commit")?;
        }
        out.message(b'Z', &[session.status()])
    }

    fn fail(
        &mut self,
        session: &mut Session,
        report: &Report,
        out: &mut dyn MessageSink,
    ) -> io::Result<()> {
        self.skipping = true;
        // Roll back the effects of the messages since the last Sync.
        let _ = session.backend.query(FAILING_STATEMENT)?;
        out.message(b'E', &report.body())
    }

    fn parse(
        &mut self,
        session: &mut Session,
        body: &[u8],
        out: &mut dyn MessageSink,
    ) -> io::Result<()> {
        let mut body = BodyReader(body);
        let (name, text) = (body.string(), body.string());
        let tokens = tokens(&text);
        // The linter does not know parameters, so it gets NULL in place of each.
        let filled = redshift_lint::fill_parameters(&text, "null").unwrap_or_else(|_| text.clone());
        let checked = session.check_statement(&filled, &tokens, StatementKind::of(&tokens));
        let context = session.context();
        let plan = match checked.and_then(|()| rewrite::plan(&text, context)) {
            Ok(plan) => plan,
            Err(report) => {
                session.log_statement(&text, Outcome::Failed(report.clone()));
                return self.fail(session, &report, out);
            }
        };
        let sent = match &plan {
            Plan::Forward { text, .. } => session.resolve_aliases(text.clone())?,
            Plan::ForwardAndCommit(text) => text.clone(),
            Plan::Copy | Plan::Local { .. } => String::new(),
        };
        let mut parse = wire::strings(&[&name, &sent]);
        parse.extend_from_slice(body.0);
        self.prepared.insert(name, Prepared { text, plan, varbyte: Vec::new() });
        self.forward(session, b'P', &parse, out).map(|_| ())
    }

    fn bind(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut dyn MessageSink,
    ) -> io::Result<()> {
        let mut body = BodyReader(&message.body);
        let (portal, name) = (body.string(), body.string());
        if let Some(prepared) = self.prepared.get(&name) {
            let mut prepared = prepared.clone();
            let formats = result_formats(body);
            for (column, varbyte) in prepared.varbyte.iter_mut().enumerate() {
                // One format applies to all columns, none means text.
                let format = formats.get(column).or(formats.first());
                *varbyte &= format.is_none_or(|format| *format == 0);
            }
            self.portals.insert(portal, prepared);
        }
        self.forward(session, b'B', &message.body, out).map(|_| ())
    }

    fn execute(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut dyn MessageSink,
    ) -> io::Result<()> {
        let portal = BodyReader(&message.body).string();
        let Some(prepared) = self.portals.get(&portal).cloned() else {
            return self.forward(session, b'E', &message.body, out).map(|_| ());
        };
        let outcome = self.run_prepared(session, &prepared, &message.body, out);
        let logged = outcome.as_ref().map_or(Outcome::Disconnected, Clone::clone);
        session.log_statement(&prepared.text, logged);
        outcome.map(|_| ())
    }

    fn run_prepared(
        &mut self,
        session: &mut Session,
        prepared: &Prepared,
        body: &[u8],
        out: &mut dyn MessageSink,
    ) -> io::Result<Outcome> {
        let kind = StatementKind::of(&tokens(&prepared.text));
        let disconnect = match session.apply_fault(kind, &prepared.text)? {
            FaultAction::Continue => false,
            FaultAction::Disconnect => true,
            FaultAction::Fail(report) => {
                self.fail(session, &report, out)?;
                return Ok(Outcome::Failed(report));
            }
        };
        session.publish_load_views(&prepared.text)?;
        let outcome = match &prepared.plan {
            plan @ (Plan::Copy | Plan::Local { .. }) => {
                let outcome = session.run_plan(plan.clone(), &prepared.text, out, disconnect)?;
                self.skipping = matches!(outcome, Outcome::Failed(_));
                outcome
            }
            Plan::Forward { follow_up, .. } => {
                self.follow_up.extend(follow_up.iter().cloned());
                let varbyte = prepared.varbyte.clone();
                let mut forwarder = Forwarder { varbyte, ..Forwarder::default() };
                self.forward_with(session, &mut forwarder, (b'E', body), out)?
            }
            Plan::ForwardAndCommit(_) => {
                self.commit = true;
                self.forward(session, b'E', body, out)?
            }
        };
        if disconnect {
            // Sync makes the backend finish the statement before the connection is dropped.
            session.backend.send(b'S', &[])?;
            while session.backend.receive()?.tag != b'Z' {}
            return Err(injected_disconnect());
        }
        Ok(outcome)
    }

    /// Forwards one message to the backend and its response to the client.
    fn forward(
        &mut self,
        session: &mut Session,
        tag: u8,
        body: &[u8],
        out: &mut dyn MessageSink,
    ) -> io::Result<Outcome> {
        self.forward_with(session, &mut Forwarder::default(), (tag, body), out)
    }

    fn forward_with(
        &mut self,
        session: &mut Session,
        forwarder: &mut Forwarder,
        (tag, body): (u8, &[u8]),
        out: &mut dyn MessageSink,
    ) -> io::Result<Outcome> {
        session.backend.send_and_flush(tag, body)?;
        loop {
            let message = session.backend.receive()?;
            forwarder.message(&message, out)?;
            // Messages that complete the response to each request.
            let ends: &[u8] = match tag {
                b'P' => b"1",
                b'B' => b"2",
                b'C' => b"3",
                b'D' => b"Tn",
                _ => b"CIs",
            };
            if message.tag == b'E' {
                self.skipping = true;
                self.follow_up.clear();
                self.commit = false;
            } else if !ends.contains(&message.tag) {
                continue;
            }
            return Ok(forwarder.outcome.take().unwrap_or(Outcome::Done(String::new())));
        }
    }
}

/// Reads the result formats of a Bind, after the names: 0 is text, 1 is binary.
fn result_formats(mut body: BodyReader<'_>) -> Vec<u16> {
    let parameter_formats = usize::from(body.short());
    body.bytes(2 * parameter_formats);
    for _ in 0..body.short() {
        let length = usize::try_from(body.int()).unwrap_or(0);
        body.bytes(length);
    }
    (0..body.short()).map(|_| body.short()).collect()
}
