//! Client sessions: each statement is checked, rewritten and run on the client's own backend
//! session.
//!
//! [`Session::statement`] runs one statement of a simple query or of the Data API; `extended` takes
//! the same steps for the extended protocol. Responses go into a [`MessageSink`]. An [`io::Error`]
//! means that the connection is lost, by accident or by an injected fault.

mod aliases;
mod copy;
mod extended;
mod forward;
mod simple;

use std::io;
use std::sync::Arc;

use crate::backend::Backend;
use crate::checker::StatementChecker;
use crate::cluster::Cluster;
use crate::copy::history::LastCopy;
use crate::faults::{Fault, StatementKind, relation_dropped_error, serialization_error};
use crate::lexer::{Token, tokens};
use crate::log::{Outcome, Statement};
use crate::rewrite::{self, Context, Plan};
use crate::unsupported;
use crate::wire::Report;

pub(crate) use extended::Extended;

/// Receiver of the messages for a client.
pub(crate) trait MessageSink {
    /// Takes one message.
    fn message(&mut self, tag: u8, body: &[u8]) -> io::Result<()>;
}

/// Sink that discards all messages.
pub(crate) struct DiscardSink;

impl MessageSink for DiscardSink {
    fn message(&mut self, _tag: u8, _body: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// SQL statement with a syntax error, which aborts the current transaction of the backend.
const FAILING_STATEMENT: &str = "a statement that fails";

/// Session of one user.
pub(crate) struct Session {
    pub(crate) backend: Backend,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) number: u32,
    data_api: bool,
    last_copy: LastCopy,
    checker: StatementChecker,
}

/// Action that remains after a fault was applied.
enum FaultAction {
    /// Run the statement.
    Continue,
    /// Run the statement and drop the connection during or after it.
    Disconnect,
    /// Fail the statement.
    Fail(Report),
}

impl Session {
    /// Opens a session of `user` with these backend settings.
    pub(crate) fn open(
        cluster: &Arc<Cluster>,
        user: &str,
        settings: &str,
        data_api: bool,
    ) -> io::Result<Self> {
        let backend = cluster.open_backend(user, settings)?;
        let (cluster, number) = (Arc::clone(cluster), cluster.next_session());
        Ok(Self {
            backend,
            cluster,
            number,
            data_api,
            last_copy: LastCopy::default(),
            checker: StatementChecker::default(),
        })
    }

    /// Returns the transaction status: `I` idle, `T` in a transaction block, `E` in a failed one.
    pub(crate) fn status(&self) -> u8 {
        self.backend.status
    }

    fn context(&self) -> Context<'_> {
        let database = &self.cluster.options.database;
        Context { database, last_copy: (self.last_copy.id, self.last_copy.count) }
    }

    /// Returns the number of rows that the last COPY loaded.
    pub(crate) fn last_copy_count(&self) -> i64 {
        self.last_copy.count
    }

    /// Runs and logs one statement. The response goes to `out`, without `ReadyForQuery`.
    pub(crate) fn statement(
        &mut self,
        text: &str,
        out: &mut dyn MessageSink,
    ) -> io::Result<Outcome> {
        let outcome = self.execute(text, out);
        self.log_statement(text, outcome.as_ref().map_or(Outcome::Disconnected, Clone::clone));
        outcome
    }

    fn log_statement(&self, text: &str, outcome: Outcome) {
        let (session, data_api, text) = (self.number, self.data_api, text.to_owned());
        self.cluster.log.push(Statement { session, text, outcome, data_api });
    }

    fn execute(&mut self, text: &str, out: &mut dyn MessageSink) -> io::Result<Outcome> {
        let tokens = tokens(text);
        let kind = StatementKind::of(&tokens);
        if let Err(report) = self.check_statement(text, &tokens, kind) {
            return self.fail_statement(report, out);
        }
        let disconnect = match self.apply_fault(kind, text)? {
            FaultAction::Continue => false,
            FaultAction::Disconnect => true,
            FaultAction::Fail(report) => return self.fail_statement(report, out),
        };
        let plan = match self.fixed_plan(text, &tokens).map_or_else(
            || rewrite::plan(text, self.context()),
            |plan| Ok(Plan::Forward { text: plan, follow_up: Vec::new() }),
        ) {
            Ok(plan) => plan,
            Err(report) => return self.fail_statement(report, out),
        };
        self.publish_load_views(text)?;
        let mut discard = DiscardSink;
        let sink: &mut dyn MessageSink = if disconnect { &mut discard } else { out };
        let outcome = self.run_plan(plan, text, sink, disconnect)?;
        if disconnect { Err(injected_disconnect()) } else { Ok(outcome) }
    }

    /// Returns a query of the lines of a fixed plan, for EXPLAIN of a statement that has one.
    fn fixed_plan(&self, text: &str, tokens: &[Token<'_>]) -> Option<String> {
        if !tokens.first()?.is("explain") {
            return None;
        }
        let fixed = self.cluster.options.plans.iter().find(|plan| text.contains(&plan.of))?;
        let lines = crate::backend::literal(&fixed.plan);
        Some(format!("select unnest(string_to_array({lines}, chr(10))) as \"QUERY PLAN\""))
    }

    /// Returns an error if Redshift does not support the statement, or not in the current
    /// transaction.
    fn check_statement(
        &mut self,
        text: &str,
        tokens: &[Token<'_>],
        kind: StatementKind,
    ) -> Result<(), Report> {
        match unsupported::outside_transaction_only(tokens) {
            Some(name) if self.status() == b'T' => {
                let message = format!("{name} cannot run inside a transaction block");
                return Err(Report::error("25001", message));
            }
            _ => self.checker.check(text)?,
        }
        if self.status() == b'E' && !matches!(kind, StatementKind::Commit | StatementKind::Rollback)
        {
            let message =
                "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Report::error("25P02", message));
        }
        Ok(())
    }

    /// Triggers the fault that is due for this statement and applies the part that precedes it.
    fn apply_fault(&mut self, kind: StatementKind, text: &str) -> io::Result<FaultAction> {
        Ok(match self.cluster.faults.trigger(kind, text) {
            None => FaultAction::Continue,
            // COPY reads its objects before the connection is lost.
            Some(Fault::Disconnect) if kind == StatementKind::Copy => FaultAction::Disconnect,
            Some(Fault::Disconnect) => return Err(injected_disconnect()),
            Some(Fault::DisconnectAfter) => FaultAction::Disconnect,
            Some(Fault::Slow(time)) => {
                let wait = format!("select pg_sleep({})", time.as_secs_f64());
                // If the wait is cancelled, its error is the statement's error.
                self.backend.query(&wait)?.map_or_else(FaultAction::Fail, |_| FaultAction::Continue)
            }
            Some(fault) => {
                // A failed commit ends the transaction.
                if kind == StatementKind::Commit {
                    let _ = self.backend.query("rollback")?;
                }
                FaultAction::Fail(match fault {
                    Fault::RelationDropped => relation_dropped_error(),
                    Fault::Error(report) => report,
                    _ => serialization_error(),
                })
            }
        })
    }

    /// Runs a rewritten statement. `disconnect` is true if the connection will be dropped.
    fn run_plan(
        &mut self,
        plan: Plan,
        text: &str,
        out: &mut dyn MessageSink,
        disconnect: bool,
    ) -> io::Result<Outcome> {
        match plan {
            Plan::Copy => self.copy(text, out, disconnect),
            Plan::Forward { text: sent, follow_up } => {
                let sent = self.resolve_aliases(sent)?;
                let outcome = self.forward(&sent, sent == text, out)?;
                self.run_follow_up(&outcome, &follow_up)?;
                Ok(outcome)
            }
            Plan::ForwardAndCommit(sent) => {
                let outcome = self.forward(&sent, sent == text, out)?;
                let commit = if self.status() == b'T' { &["commit".to_owned()][..] } else { &[] };
                self.run_follow_up(&outcome, commit)?;
                Ok(outcome)
            }
            Plan::Local { tag, statements } => {
                for statement in &statements {
                    if let Err(report) = self.backend.query(statement)? {
                        return self.fail_statement(forward::translate_error(report, true), out);
                    }
                }
                out.message(b'C', &crate::wire::strings(&[tag]))?;
                Ok(Outcome::Done(tag.to_owned()))
            }
        }
    }

    /// Runs the proxy's statements after a successful statement, invisible to the client.
    fn run_follow_up(&mut self, outcome: &Outcome, statements: &[String]) -> io::Result<()> {
        for statement in statements.iter().filter(|_| matches!(outcome, Outcome::Done(_))) {
            // Recording attributes may fail, for example in a dropped schema. Ignore the error: the
            // client's statement succeeded.
            let _ = self.backend.query(statement)?;
        }
        Ok(())
    }

    /// Sends an error for a statement that did not reach the backend, and aborts the transaction.
    fn fail_statement(&mut self, report: Report, out: &mut dyn MessageSink) -> io::Result<Outcome> {
        if self.status() == b'T' {
            let _ = self.backend.query(FAILING_STATEMENT)?;
        }
        out.message(b'E', &report.body())?;
        Ok(Outcome::Failed(report))
    }

    /// Passes the rows of the load views to the backend if a statement mentions such a view.
    fn publish_load_views(&mut self, text: &str) -> io::Result<()> {
        let text = text.to_ascii_lowercase();
        if ["sys_load_", "stl_load_"].iter().any(|name| text.contains(name)) {
            let (history, errors) = self.cluster.load_views.rows();
            let set = format!(
                "select set_config('emulator.history', {}, false), set_config('emulator.errors', {}, false)",
                crate::backend::literal(&history),
                crate::backend::literal(&errors)
            );
            let _ = self.backend.query(&set)?;
        }
        Ok(())
    }
}

/// Returns the error of a connection that an injected fault drops.
fn injected_disconnect() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "connection dropped by an injected fault")
}
