//! The extended protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync.
//!
//! Each message is sent on with a Flush, and its answer awaited, so that every statement is looked at as in the simple protocol: refused at
//! Parse, struck by faults at Execute. A statement that the backend never sees (COPY above all) stands there as an empty one.

use std::collections::HashMap;
use std::io;

use super::relay::Passage;
use super::{Session, Sink, Struck, lost};
use crate::faults::Kind;
use crate::lexer::tokens;
use crate::log::Outcome;
use crate::rewrite::{self, Plan};
use crate::wire::{self, Body, Message, Report};

/// A statement that was parsed.
#[derive(Clone)]
struct Prepared {
    /// As the client sent it.
    text: String,
    plan: Plan,
}

/// What the extended protocol remembers between its messages.
#[derive(Default)]
pub(crate) struct Extended {
    prepared: HashMap<String, Prepared>,
    portals: HashMap<String, Prepared>,
    /// After an error everything up to Sync is ignored.
    skipping: bool,
    /// What follows once the backend is at rest.
    after: Vec<String>,
    commit: bool,
}

impl Extended {
    /// One message.
    pub(crate) fn message(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut dyn Sink,
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
            tag => self.forward(session, tag, &message.body, out).map(|_| ()),
        }
    }

    fn sync(&mut self, session: &mut Session, out: &mut dyn Sink) -> io::Result<()> {
        self.skipping = false;
        session.backend.send(b'S', &[])?;
        let mut passage = Passage::default();
        loop {
            let message = session.backend.receive()?;
            if message.tag == b'Z' {
                break;
            }
            passage.pass(&message, out)?;
        }
        for statement in self.after.drain(..) {
            let _ = session.backend.ask(&statement)?;
        }
        if std::mem::take(&mut self.commit) && session.status() == b'T' {
            let _ = session.backend.ask("commit")?;
        }
        out.message(b'Z', &[session.status()])
    }

    fn fail(
        &mut self,
        session: &mut Session,
        report: &Report,
        out: &mut dyn Sink,
    ) -> io::Result<()> {
        self.skipping = true;
        // What the batch did so far is undone with it.
        let _ = session.backend.ask("a statement that fails")?;
        out.message(b'E', &report.body())
    }

    fn parse(&mut self, session: &mut Session, body: &[u8], out: &mut dyn Sink) -> io::Result<()> {
        let mut body = Body(body);
        let (name, text) = (body.string(), body.string());
        let tokens = tokens(&text);
        // The gate knows literals alone: values that come later stand there as NULL.
        let filled = redshift_lint::fill_parameters(&text, "null").unwrap_or_else(|_| text.clone());
        let admitted = session.admit(&filled, &tokens, Kind::of(&tokens));
        let context = session.context();
        let plan = match admitted.and_then(|()| rewrite::plan(&text, context)) {
            Ok(plan) => plan,
            Err(report) => {
                session.note(&text, Outcome::Failed(report.clone()));
                return self.fail(session, &report, out);
            }
        };
        let sent = match &plan {
            Plan::Relay { text, .. } | Plan::RelayAndCommit(text) => text.clone(),
            Plan::Copy | Plan::Answer { .. } => String::new(),
        };
        let mut parse = wire::strings(&[&name, &sent]);
        parse.extend_from_slice(body.0);
        self.prepared.insert(name, Prepared { text, plan });
        self.forward(session, b'P', &parse, out).map(|_| ())
    }

    fn bind(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut dyn Sink,
    ) -> io::Result<()> {
        let mut body = Body(&message.body);
        let (portal, name) = (body.string(), body.string());
        if let Some(prepared) = self.prepared.get(&name) {
            self.portals.insert(portal, prepared.clone());
        }
        self.forward(session, b'B', &message.body, out).map(|_| ())
    }

    fn execute(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut dyn Sink,
    ) -> io::Result<()> {
        let portal = Body(&message.body).string();
        let Some(prepared) = self.portals.get(&portal).cloned() else {
            return self.forward(session, b'E', &message.body, out).map(|_| ());
        };
        let outcome = self.executed(session, &prepared, &message.body, out);
        let noted = outcome.as_ref().map_or(Outcome::Lost, Clone::clone);
        session.note(&prepared.text, noted);
        outcome.map(|_| ())
    }

    fn executed(
        &mut self,
        session: &mut Session,
        prepared: &Prepared,
        body: &[u8],
        out: &mut dyn Sink,
    ) -> io::Result<Outcome> {
        let lose = match session.strike(Kind::of(&tokens(&prepared.text)), &prepared.text)? {
            Struck::Go => false,
            Struck::GoAndLose => true,
            Struck::Fail(report) => {
                self.fail(session, &report, out)?;
                return Ok(Outcome::Failed(report));
            }
        };
        session.show_loads(&prepared.text)?;
        let outcome = match &prepared.plan {
            plan @ (Plan::Copy | Plan::Answer { .. }) => {
                let outcome = session.carry_out(plan.clone(), &prepared.text, out, lose)?;
                self.skipping = matches!(outcome, Outcome::Failed(_));
                outcome
            }
            Plan::Relay { after, .. } => {
                self.after.extend(after.iter().cloned());
                self.forward(session, b'E', body, out)?
            }
            Plan::RelayAndCommit(_) => {
                self.commit = true;
                self.forward(session, b'E', body, out)?
            }
        };
        if lose {
            session.backend.send(b'S', &[])?;
            while session.backend.receive()?.tag != b'Z' {}
            return Err(lost());
        }
        Ok(outcome)
    }

    /// Sends one message on, and passes its answer back.
    fn forward(
        &mut self,
        session: &mut Session,
        tag: u8,
        body: &[u8],
        out: &mut dyn Sink,
    ) -> io::Result<Outcome> {
        session.backend.send_and_flush(tag, body)?;
        let mut passage = Passage::default();
        loop {
            let message = session.backend.receive()?;
            passage.pass(&message, out)?;
            let ends: &[u8] = match tag {
                b'P' => b"1",
                b'B' => b"2",
                b'C' => b"3",
                b'D' => b"Tn",
                _ => b"CIs",
            };
            if message.tag == b'E' {
                self.skipping = true;
                self.after.clear();
                self.commit = false;
            } else if !ends.contains(&message.tag) {
                continue;
            }
            return Ok(passage.outcome.unwrap_or(Outcome::Done(String::new())));
        }
    }
}
