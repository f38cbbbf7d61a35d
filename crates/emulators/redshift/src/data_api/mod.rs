//! The Data API over HTTP: statements sent by signed requests, their results asked for later.
//!
//! JSON 1.1, with the operation in `X-Amz-Target`. A request is verified (`signature`), read and checked against the service's model and prose
//! (`request`), and becomes a job on a thread of its own (`job`), whose statements go the way of every session's (`work`). The shapes are those
//! of botocore's model of `redshift-data`, 2019-12-20, in version 1.44.5; the rules of prose from MG/data-api.html and the model's texts.

mod http;
mod job;
mod problem;
mod request;
mod signature;
mod work;

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::backend;
use crate::house::House;
use crate::session::Session;
use http::{Answer, Request};
use job::Job;
use problem::Problem;
use request::{Execution, Members};
use work::Harvest;

const TARGET: &str = "RedshiftData.";

/// The model: a session lives for 24 hours at most.
const LONGEST_SESSION: Duration = Duration::from_hours(24);

/// A session that outlives its statement.
struct Kept {
    session: Arc<Mutex<Session>>,
    user: String,
    seconds: u64,
    until: Instant,
}

/// The service.
pub(crate) struct Service {
    house: Arc<House>,
    jobs: Mutex<HashMap<String, Arc<Job>>>,
    tokens: Mutex<HashMap<String, String>>,
    sessions: Mutex<HashMap<String, Kept>>,
    calls: Mutex<Vec<String>>,
    /// How many more calls are throttled, and how many fail.
    pub(crate) throttled: AtomicU32,
    pub(crate) failing: AtomicU32,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts one off, if there is one.
fn taken(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

impl Service {
    /// Sessions end by themselves, whether anybody calls or not.
    pub(crate) fn start(house: Arc<House>) -> Arc<Self> {
        let service = Arc::new(Self::new(house));
        let watched = Arc::downgrade(&service);
        thread::spawn(move || {
            while let Some(service) = watched.upgrade() {
                service.expire();
                drop(service);
                thread::sleep(Duration::from_millis(100));
            }
        });
        service
    }

    fn new(house: Arc<House>) -> Self {
        Self {
            house,
            jobs: Mutex::default(),
            tokens: Mutex::default(),
            sessions: Mutex::default(),
            calls: Mutex::default(),
            throttled: AtomicU32::new(0),
            failing: AtomicU32::new(0),
        }
    }

    /// The operations that were called so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        locked(&self.calls).clone()
    }

    /// Serves a client.
    pub(crate) fn serve(self: &Arc<Self>, stream: TcpStream) {
        let _ = http::serve(stream, |request| match self.answer(request) {
            Ok(body) => Answer { status: 200, body },
            Err(problem) => problem.answer(),
        });
    }

    fn answer(self: &Arc<Self>, request: &Request) -> Result<Value, Problem> {
        let target = request.header("x-amz-target").unwrap_or_default();
        let operation = target.strip_prefix(TARGET).unwrap_or_default();
        locked(&self.calls).push(operation.to_owned());
        if request.method != "POST" || operation.is_empty() {
            return Err(Problem::new("UnknownOperationException", "no operation is named"));
        }
        signature::verify(request, &self.house.options.data_api)?;
        if taken(&self.throttled) {
            return Err(Problem::new("ThrottlingException", "Rate exceeded"));
        }
        if taken(&self.failing) {
            return Err(Problem::new("InternalServerException", "Internal server error"));
        }
        match operation {
            "ExecuteStatement" => self.execute(&request.body, false),
            "BatchExecuteStatement" => self.execute(&request.body, true),
            "DescribeStatement" => self.describe(&request.body),
            "GetStatementResult" => self.result(&request.body),
            "CancelStatement" => self.cancel(&request.body),
            _ => Err(Problem::new("UnknownOperationException", "not played by the emulator")),
        }
    }

    fn execute(self: &Arc<Self>, body: &[u8], batch: bool) -> Result<Value, Problem> {
        let options = &self.house.options.data_api;
        let execution = Execution::read(body, batch, options)?;
        // The same token is the same request (8 hours on AWS, for ever here).
        if let Some(token) = &execution.token {
            let known = locked(&self.tokens).get(token).cloned();
            if let Some(job) = known.and_then(|id| locked(&self.jobs).get(&id).cloned()) {
                if job.execution.texts == execution.texts {
                    return Ok(job.accepted());
                }
                return Err(Problem::invalid("ClientToken was used with other parameters"));
            }
        }
        let (user, session) = self.place(&execution)?;
        let job =
            Arc::new(Job::new(execution, user, session.clone().map(|(id, _)| id), options.polls));
        locked(&self.jobs).insert(job.id.clone(), Arc::clone(&job));
        if let Some(token) = &job.execution.token {
            locked(&self.tokens).insert(token.clone(), job.id.clone());
        }
        let (service, at_work) = (Arc::clone(self), Arc::clone(&job));
        thread::spawn(move || service.work(&at_work, session.map(|(_, session)| session)));
        if let Some(seconds) = job.execution.wait {
            job.wait(seconds);
        }
        Ok(job.accepted())
    }

    /// Who executes, and in which session, if it is one that is kept.
    #[allow(clippy::type_complexity)]
    fn place(
        &self,
        execution: &Execution,
    ) -> Result<(String, Option<(String, Arc<Mutex<Session>>)>), Problem> {
        self.expire();
        let mut sessions = locked(&self.sessions);
        if let Some(id) = &execution.session {
            let gone = || Problem::missing("Session is not available.");
            let kept = sessions.get_mut(id).ok_or_else(gone)?;
            if kept.session.try_lock().is_err() {
                return Err(Problem::invalid("Session is busy with another statement."));
            }
            kept.seconds = execution.keep_alive.unwrap_or(kept.seconds);
            kept.until = Instant::now() + LONGEST_SESSION;
            return Ok((kept.user.clone(), Some((id.clone(), Arc::clone(&kept.session)))));
        }
        let first =
            self.house.options.users.first().map(|user| user.name.clone()).unwrap_or_default();
        let user = execution.user.clone().unwrap_or(first);
        match execution.keep_alive.filter(|seconds| *seconds > 0) {
            None => Ok((user, None)),
            Some(seconds) => {
                let session = self.open(execution, &user).map_err(Problem::invalid)?;
                let (id, session) = (crate::random::uuid(), Arc::new(Mutex::new(session)));
                let until = Instant::now() + LONGEST_SESSION;
                let kept =
                    Kept { session: Arc::clone(&session), user: user.clone(), seconds, until };
                sessions.insert(id.clone(), kept);
                Ok((user, Some((id, session))))
            }
        }
    }

    fn open(&self, execution: &Execution, user: &str) -> Result<Session, String> {
        let database = execution.database.as_deref().unwrap_or_default();
        if database != self.house.options.database {
            return Err(format!("FATAL: database \"{database}\" does not exist"));
        }
        if self.house.user(user).is_none() {
            return Err(format!("FATAL: user \"{user}\" does not exist"));
        }
        Session::open(&self.house, user, "", true).map_err(|error| error.to_string())
    }

    /// Executes a job, on its session or one of its own.
    fn work(&self, job: &Job, kept: Option<Arc<Mutex<Session>>>) {
        let session = match kept {
            Some(session) => session,
            None => match self.open(&job.execution, &job.user) {
                Ok(session) => Arc::new(Mutex::new(session)),
                Err(error) => return job.end(Some(error)),
            },
        };
        let mut session = locked(&session);
        if job.at_work(session.backend.key) {
            return job.end(Some("Query was cancelled".to_owned()));
        }
        let error =
            if job.execution.batch { batch(job, &mut session) } else { one(job, &mut session) };
        drop(session);
        // It is kept from the statement's end on; for no time, it ends before anybody hears of it.
        if let Some(id) = &job.session {
            let mut sessions = locked(&self.sessions);
            if let Some(kept) = sessions.get_mut(id) {
                kept.until = Instant::now() + Duration::from_secs(kept.seconds);
            }
        }
        self.expire();
        job.end(error);
    }

    /// How many sessions are kept.
    pub(crate) fn sessions(&self) -> usize {
        self.expire();
        locked(&self.sessions).len()
    }

    /// Closes the sessions whose time is over, and so what is open in them.
    fn expire(&self) {
        locked(&self.sessions).retain(|_, kept| kept.until > Instant::now());
    }

    fn job(&self, id: &str) -> Result<(Arc<Job>, Option<usize>), Problem> {
        let (bare, part) = id.split_once(':').map_or((id, None), |(bare, part)| (bare, Some(part)));
        let part = part.map(|part| part.parse().unwrap_or(0));
        let missing = || Problem::missing("Query does not exist.");
        locked(&self.jobs).get(bare).cloned().map(|job| (job, part)).ok_or_else(missing)
    }

    fn describe(&self, body: &[u8]) -> Result<Value, Problem> {
        let members = Members::read(body, &["Id", "WaitTimeSeconds"])?;
        let (job, _) = self.job(&members.needed("Id")?)?;
        if let Some(seconds) = members.number("WaitTimeSeconds", 1, 30)? {
            job.wait(seconds);
        }
        Ok(job.description())
    }

    fn result(&self, body: &[u8]) -> Result<Value, Problem> {
        let members = Members::read(body, &["Id", "NextToken", "WaitTimeSeconds"])?;
        let (job, part) = self.job(&members.needed("Id")?)?;
        if let Some(seconds) = members.number("WaitTimeSeconds", 1, 30)? {
            job.wait(seconds);
        }
        let harvest = job.result(part).ok_or_else(|| {
            Problem::missing(
                "Query does not have result. Please check query status with DescribeStatement.",
            )
        })?;
        let from = match members.text("NextToken")? {
            None => 0,
            Some(token) => token
                .strip_prefix(&format!("{}-", job.id))
                .and_then(|row| row.parse().ok())
                .ok_or_else(|| Problem::invalid("Invalid NextToken"))?,
        };
        let to = from + self.house.options.data_api.page_rows;
        let mut answer = json!({
            "ColumnMetadata": harvest.metadata(),
            "Records": harvest.records(from, to),
            "TotalNumRows": harvest.rows.len(),
        });
        if to < harvest.rows.len() {
            answer["NextToken"] = json!(format!("{}-{to}", job.id));
        }
        Ok(answer)
    }

    fn cancel(&self, body: &[u8]) -> Result<Value, Problem> {
        let members = Members::read(body, &["Id"])?;
        let id = members.needed("Id")?;
        let (job, _) = self.job(&id)?;
        match job.cancel() {
            Err(status) => Err(Problem::invalid(format!(
                "Could not cancel a query that is already in {status} state with ID: {id}"
            ))),
            Ok(key) => {
                if let Some(key) = key {
                    let _ = backend::cancel(&self.house.target, &key);
                }
                Ok(json!({ "Status": true }))
            }
        }
    }
}

/// A statement alone.
fn one(job: &Job, session: &mut Session) -> Option<String> {
    let harvest = Harvest::reap(session, &job.execution.statements[0]);
    let error = harvest.error.clone();
    job.reaped(harvest);
    error
}

/// Statements in one transaction, or each committed by itself.
fn batch(job: &Job, session: &mut Session) -> Option<String> {
    let transaction = !job.execution.auto_commit;
    if transaction {
        let _ = session.backend.ask("begin");
    }
    let mut error = None;
    for (at, statement) in (1..).zip(&job.execution.statements) {
        let harvest = Harvest::reap(session, statement);
        if let Some(text) = &harvest.error {
            error = error.or(Some(format!("Query #{at} failed with {text}")));
        }
        job.reaped(harvest);
        if transaction && error.is_some() {
            break;
        }
    }
    if transaction && error.is_none() {
        // The commit is a statement too: faults strike it, the log has it.
        let commit = Harvest::reap(session, "commit");
        error = commit.error;
    }
    if transaction && error.is_some() {
        let _ = session.backend.ask("rollback");
    }
    error
}
