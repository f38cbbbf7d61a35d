//! A client's session: what it sends passes the entrance, is rewritten, and runs on a backend session of its own.
//!
//! `statement` is the path of one statement and the same for every way in: a simple query, the extended protocol, the Data API. What a client
//! gets goes into a [`Sink`]. An `Err` of `io` means that the connection is lost, by accident or by a fault that was asked for.

mod copy;
mod extended;
mod relay;
mod simple;

use std::io;
use std::sync::Arc;

use crate::backend::Backend;
use crate::copy::history::LastCopy;
use crate::entrance::Entrance;
use crate::faults::{Fault, Kind, relation_gone, serializable};
use crate::house::House;
use crate::lexer::{Token, tokens};
use crate::log::{Outcome, Statement};
use crate::manners;
use crate::rewrite::{self, Context, Plan};
use crate::wire::Report;

pub(crate) use extended::Extended;

/// Where messages for the client go.
pub(crate) trait Sink {
    /// Takes one message.
    fn message(&mut self, tag: u8, body: &[u8]) -> io::Result<()>;
}

/// Takes nothing: for what happens unseen.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn message(&mut self, _tag: u8, _body: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// A session.
pub(crate) struct Session {
    pub(crate) backend: Backend,
    pub(crate) house: Arc<House>,
    pub(crate) number: u32,
    data_api: bool,
    last_copy: LastCopy,
    entrance: Entrance,
}

/// What a fault leaves to be done.
enum Struck {
    /// Nothing stands in the way.
    Go,
    /// The same, but the connection is lost on the way or after it.
    GoAndLose,
    /// The statement fails.
    Fail(Report),
}

impl Session {
    /// A session of `user`.
    pub(crate) fn open(
        house: &Arc<House>,
        user: &str,
        settings: &str,
        data_api: bool,
    ) -> io::Result<Self> {
        let backend = house.backend(user, settings)?;
        let (house, number) = (Arc::clone(house), house.next_session());
        Ok(Self {
            backend,
            house,
            number,
            data_api,
            last_copy: LastCopy::default(),
            entrance: Entrance::default(),
        })
    }

    /// Where its transaction stands: `I`, `T` or `E`.
    pub(crate) fn status(&self) -> u8 {
        self.backend.status
    }

    fn context(&self) -> Context {
        Context { last_copy: (self.last_copy.id, self.last_copy.count) }
    }

    /// How many rows the last COPY loaded.
    pub(crate) fn last_copy_count(&self) -> i64 {
        self.last_copy.count
    }

    /// One statement, logged. What it answers goes to `out`, without `ReadyForQuery`.
    pub(crate) fn statement(&mut self, text: &str, out: &mut dyn Sink) -> io::Result<Outcome> {
        let outcome = self.execute(text, out);
        self.note(text, outcome.as_ref().map_or(Outcome::Lost, Clone::clone));
        outcome
    }

    /// Writes a statement into the log.
    fn note(&self, text: &str, outcome: Outcome) {
        let (session, data_api, text) = (self.number, self.data_api, text.to_owned());
        self.house.log.push(Statement { session, text, outcome, data_api });
    }

    fn execute(&mut self, text: &str, out: &mut dyn Sink) -> io::Result<Outcome> {
        let tokens = tokens(text);
        let kind = Kind::of(&tokens);
        if let Err(report) = self.admit(text, &tokens, kind) {
            return self.refuse(report, out);
        }
        let lose = match self.strike(kind, text)? {
            Struck::Go => false,
            Struck::GoAndLose => true,
            Struck::Fail(report) => return self.refuse(report, out),
        };
        let plan = match rewrite::plan(text, self.context()) {
            Ok(plan) => plan,
            Err(report) => return self.refuse(report, out),
        };
        self.show_loads(text)?;
        let mut nowhere = Nowhere;
        let sink: &mut dyn Sink = if lose { &mut nowhere } else { out };
        let outcome = self.carry_out(plan, text, sink, lose)?;
        if lose { Err(lost()) } else { Ok(outcome) }
    }

    /// Whether a statement may run at all, and now.
    fn admit(&mut self, text: &str, tokens: &[Token<'_>], kind: Kind) -> Result<(), Report> {
        match manners::alone(tokens) {
            Some(name) if self.status() == b'T' => {
                let message = format!("{name} cannot run inside a transaction block");
                return Err(Report::error("25001", message));
            }
            _ => self.entrance.check(text)?,
        }
        if self.status() == b'E' && !matches!(kind, Kind::Commit | Kind::Rollback) {
            let message =
                "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Report::error("25P02", message));
        }
        Ok(())
    }

    /// The fault that strikes this statement, carried out as far as it comes before it.
    fn strike(&mut self, kind: Kind, text: &str) -> io::Result<Struck> {
        Ok(match self.house.faults.strike(kind, text) {
            None => Struck::Go,
            Some(Fault::Lose) if kind == Kind::Copy => Struck::GoAndLose,
            Some(Fault::Lose) => return Err(lost()),
            Some(Fault::LoseAfter) => Struck::GoAndLose,
            Some(Fault::Slow(time)) => {
                let wait = format!("select pg_sleep({})", time.as_secs_f64());
                // Cancelled, it fails as the statement would.
                self.backend.ask(&wait)?.map_or_else(Struck::Fail, |_| Struck::Go)
            }
            Some(fault) => {
                // A commit that fails leaves no transaction behind.
                if kind == Kind::Commit {
                    let _ = self.backend.ask("rollback")?;
                }
                Struck::Fail(match fault {
                    Fault::RelationGone => relation_gone(),
                    Fault::Error(report) => report,
                    _ => serializable(),
                })
            }
        })
    }

    fn carry_out(
        &mut self,
        plan: Plan,
        text: &str,
        out: &mut dyn Sink,
        lose: bool,
    ) -> io::Result<Outcome> {
        match plan {
            Plan::Copy => self.copy(text, out, lose),
            Plan::Relay { text: sent, after } => {
                let outcome = self.relay(&sent, sent == text, out)?;
                self.unseen(&outcome, &after)?;
                Ok(outcome)
            }
            Plan::RelayAndCommit(sent) => {
                let outcome = self.relay(&sent, sent == text, out)?;
                let commit = if self.status() == b'T' { &["commit".to_owned()][..] } else { &[] };
                self.unseen(&outcome, commit)?;
                Ok(outcome)
            }
            Plan::Answer { tag, hidden } => {
                for statement in &hidden {
                    if let Err(report) = self.backend.ask(statement)? {
                        return self.refuse(relay::translated(report, true), out);
                    }
                }
                out.message(b'C', &crate::wire::strings(&[tag]))?;
                Ok(Outcome::Done(tag.to_owned()))
            }
        }
    }

    /// What follows a statement that was done, unseen by the client.
    fn unseen(&mut self, outcome: &Outcome, statements: &[String]) -> io::Result<()> {
        for statement in statements.iter().filter(|_| matches!(outcome, Outcome::Done(_))) {
            // Notes that cannot be taken (a table in a schema that is gone) are no concern of the client's.
            let _ = self.backend.ask(statement)?;
        }
        Ok(())
    }

    /// Fails a statement that never reached the backend, and the transaction with it.
    fn refuse(&mut self, report: Report, out: &mut dyn Sink) -> io::Result<Outcome> {
        if self.status() == b'T' {
            let _ = self.backend.ask("a statement that fails")?;
        }
        out.message(b'E', &report.body())?;
        Ok(Outcome::Failed(report))
    }

    /// Hands the load views' rows to the backend, when a statement asks for them.
    fn show_loads(&mut self, text: &str) -> io::Result<()> {
        let text = text.to_ascii_lowercase();
        if ["sys_load_", "stl_load_"].iter().any(|name| text.contains(name)) {
            let (history, errors) = self.house.loads.shown();
            let set = format!(
                "select set_config('emulator.history', {}, false), set_config('emulator.errors', {}, false)",
                crate::backend::literal(&history),
                crate::backend::literal(&errors)
            );
            let _ = self.backend.ask(&set)?;
        }
        Ok(())
    }
}

/// A connection that is lost on purpose.
fn lost() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "lost, as the test asked")
}
