//! Redshift Data API: SQL statements and results over signed HTTP requests.
//!
//! The protocol is JSON 1.1 with the operation in `X-Amz-Target`. `signature` verifies a request
//! and `request` validates it. Each execution (`execution`) runs on its own thread, its statements
//! on a [`Session`] like those of other clients (`result`). The shapes come from botocore's model
//! of `redshift-data` (2019-12-20, botocore 1.44.5), further rules from MG/data-api.html and the
//! documentation in the model.

mod error;
mod execution;
mod http;
mod request;
mod result;
mod signature;

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::backend;
use crate::clock::epoch_seconds;
use crate::cluster::Cluster;
use crate::session::Session;
use error::ApiError;
use execution::Execution;
use http::{Request, Response};
use request::{ExecuteRequest, Members};
use result::StatementResult;

const TARGET_PREFIX: &str = "RedshiftData.";

/// Limit of a session's lifetime, from the model.
const MAX_SESSION_LIFETIME: Duration = Duration::from_hours(24);

/// Session that stays open after its statement (`SessionKeepAliveSeconds`).
struct KeptSession {
    session: Arc<Mutex<Session>>,
    user: String,
    keep_alive: Duration,
    expires: Instant,
    created: SystemTime,
}

/// Message for a session that is busy or closed, seen on real clusters (awslabs/mcp issues 4375 and
/// 4587).
const NOT_AVAILABLE: &str = "Session is not available";

/// Data API service.
pub(crate) struct Service {
    cluster: Arc<Cluster>,
    /// Executions by statement ID.
    executions: Mutex<HashMap<String, Arc<Execution>>>,
    /// Statement IDs by client token.
    tokens: Mutex<HashMap<String, String>>,
    /// Open sessions by session ID.
    sessions: Mutex<HashMap<String, KeptSession>>,
    /// Creation time of closed sessions by session ID.
    closed: Mutex<HashMap<String, SystemTime>>,
    /// Operations called so far.
    calls: Mutex<Vec<String>>,
    /// Number of calls to throttle.
    pub(crate) throttled: AtomicU32,
    /// Number of calls to fail.
    pub(crate) failing: AtomicU32,
    /// Statements to refuse as if their session was busy: a part of their text, and their number.
    pub(crate) busy: Mutex<(String, u32)>,
    /// Number of calls with `WaitTimeSeconds` to refuse.
    pub(crate) refused_waits: AtomicU32,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decrements the counter; returns false if it is zero.
fn take_one(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

impl Service {
    /// Creates the service and starts a thread that closes expired sessions.
    pub(crate) fn start(cluster: Arc<Cluster>) -> Arc<Self> {
        let service = Arc::new(Self::new(cluster));
        let watched = Arc::downgrade(&service);
        thread::spawn(move || {
            while let Some(service) = watched.upgrade() {
                service.close_expired();
                drop(service);
                thread::sleep(Duration::from_millis(100));
            }
        });
        service
    }

    fn new(cluster: Arc<Cluster>) -> Self {
        Self {
            cluster,
            executions: Mutex::default(),
            tokens: Mutex::default(),
            sessions: Mutex::default(),
            closed: Mutex::default(),
            calls: Mutex::default(),
            throttled: AtomicU32::new(0),
            failing: AtomicU32::new(0),
            busy: Mutex::default(),
            refused_waits: AtomicU32::new(0),
        }
    }

    /// Returns the operations called so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        locked(&self.calls).clone()
    }

    /// Serves one client connection.
    pub(crate) fn serve(self: &Arc<Self>, stream: TcpStream) {
        let _ = http::serve(stream, |request| match self.dispatch(request) {
            Ok(body) => Response { status: 200, body },
            Err(error) => error.response(),
        });
    }

    fn dispatch(self: &Arc<Self>, request: &Request) -> Result<Value, ApiError> {
        let target = request.header("x-amz-target").unwrap_or_default();
        let operation = target.strip_prefix(TARGET_PREFIX).unwrap_or_default();
        locked(&self.calls).push(operation.to_owned());
        if request.method != "POST" || operation.is_empty() {
            let message = "missing operation in X-Amz-Target";
            return Err(ApiError::new("UnknownOperationException", message));
        }
        signature::verify(request, &self.cluster.options.data_api)?;
        if take_one(&self.throttled) {
            return Err(ApiError::new("ThrottlingException", "Rate exceeded"));
        }
        if take_one(&self.failing) {
            return Err(ApiError::new("InternalServerException", "Internal server error"));
        }
        match operation {
            "ExecuteStatement" => self.execute(&request.body, false),
            "BatchExecuteStatement" => self.execute(&request.body, true),
            "DescribeStatement" => self.describe(&request.body),
            "GetStatementResult" => self.result(&request.body),
            "CancelStatement" => self.cancel(&request.body),
            "ListSessions" => self.list_sessions(&request.body),
            _ => {
                let message = format!("{operation} is not supported by the emulator");
                Err(ApiError::new("UnknownOperationException", message))
            }
        }
    }

    fn execute(self: &Arc<Self>, body: &[u8], batch: bool) -> Result<Value, ApiError> {
        let options = &self.cluster.options.data_api;
        let request = ExecuteRequest::parse(body, batch, options)?;
        // A repeated token returns the first execution (for 8 hours on AWS, without limit here).
        if let Some(token) = &request.token {
            let id = locked(&self.tokens).get(token).cloned();
            if let Some(execution) = id.and_then(|id| locked(&self.executions).get(&id).cloned()) {
                if execution.request.texts == request.texts {
                    return Ok(execution.execute_response());
                }
                return Err(ApiError::invalid("ClientToken was used with other parameters"));
            }
        }
        let (user, session) = self.user_and_session(&request)?;
        let session_id = session.clone().map(|(id, _)| id);
        let execution = Arc::new(Execution::new(request, user, session_id, options.polls));
        locked(&self.executions).insert(execution.id.clone(), Arc::clone(&execution));
        if let Some(token) = &execution.request.token {
            locked(&self.tokens).insert(token.clone(), execution.id.clone());
        }
        let (service, started) = (Arc::clone(self), Arc::clone(&execution));
        thread::spawn(move || service.run(&started, session.map(|(_, session)| session)));
        if let Some(seconds) = execution.request.wait {
            execution.wait(seconds);
        }
        Ok(execution.execute_response())
    }

    /// Returns the user of a request and, if the request names or keeps one, the session with its
    /// ID.
    #[allow(clippy::type_complexity)]
    fn user_and_session(
        &self,
        request: &ExecuteRequest,
    ) -> Result<(String, Option<(String, Arc<Mutex<Session>>)>), ApiError> {
        self.close_expired();
        let mut sessions = locked(&self.sessions);
        if let Some(id) = &request.session {
            let kept = sessions.get_mut(id).ok_or_else(|| self.missing_session(id))?;
            if kept.session.try_lock().is_err() || self.is_kept_busy(request) {
                return Err(ApiError::invalid(NOT_AVAILABLE));
            }
            kept.keep_alive = request.keep_alive.map_or(kept.keep_alive, Duration::from_secs);
            kept.expires = Instant::now() + MAX_SESSION_LIFETIME;
            return Ok((kept.user.clone(), Some((id.clone(), Arc::clone(&kept.session)))));
        }
        let first =
            self.cluster.options.users.first().map(|user| user.name.clone()).unwrap_or_default();
        let user = request.user.clone().unwrap_or(first);
        match request.keep_alive.filter(|seconds| *seconds > 0) {
            None => Ok((user, None)),
            Some(seconds) => {
                let session = self.open_session(request, &user).map_err(ApiError::invalid)?;
                let (id, session) = (crate::random::uuid(), Arc::new(Mutex::new(session)));
                let kept = KeptSession {
                    session: Arc::clone(&session),
                    user: user.clone(),
                    keep_alive: Duration::from_secs(seconds),
                    expires: Instant::now() + MAX_SESSION_LIFETIME,
                    created: SystemTime::now(),
                };
                sessions.insert(id.clone(), kept);
                Ok((user, Some((id, session))))
            }
        }
    }

    fn open_session(&self, request: &ExecuteRequest, user: &str) -> Result<Session, String> {
        let database = request.database.as_deref().unwrap_or_default();
        if database != self.cluster.options.database {
            return Err(format!("FATAL: database \"{database}\" does not exist"));
        }
        if self.cluster.find_user(user).is_none() {
            return Err(format!("FATAL: user \"{user}\" does not exist"));
        }
        Session::open(&self.cluster, user, "", true).map_err(|error| error.to_string())
    }

    /// Runs an execution in its kept session or in a temporary one.
    fn run(&self, execution: &Execution, kept: Option<Arc<Mutex<Session>>>) {
        let session = match kept {
            Some(session) => session,
            None => match self.open_session(&execution.request, &execution.user) {
                Ok(session) => Arc::new(Mutex::new(session)),
                Err(error) => return execution.finish(Some(error)),
            },
        };
        let mut session = locked(&session);
        if execution.start(session.backend.cancel_key) {
            return execution.finish(Some("Query was cancelled".to_owned()));
        }
        let error = if execution.request.batch {
            run_batch(execution, &mut session)
        } else {
            run_single(execution, &mut session)
        };
        drop(session);
        // Keep-alive counts from the end of the statement. With 0 seconds the session must be
        // closed before a client can see the final status.
        if let Some(id) = &execution.session {
            let mut sessions = locked(&self.sessions);
            if let Some(kept) = sessions.get_mut(id) {
                kept.expires = Instant::now() + kept.keep_alive;
            }
        }
        self.close_expired();
        execution.finish(error);
    }

    /// Returns the number of open sessions.
    pub(crate) fn sessions(&self) -> usize {
        self.close_expired();
        locked(&self.sessions).len()
    }

    /// Closes expired sessions, which rolls back their open transactions.
    fn close_expired(&self) {
        let mut sessions = locked(&self.sessions);
        let mut closed = locked(&self.closed);
        sessions.retain(|id, kept| {
            let is_open = kept.expires > Instant::now();
            if !is_open {
                closed.insert(id.clone(), kept.created);
            }
            is_open
        });
    }

    /// Closes all sessions, as the service does when it reclaims them.
    pub(crate) fn close_sessions(&self) {
        let now = Instant::now();
        locked(&self.sessions).values_mut().for_each(|kept| kept.expires = now);
        self.close_expired();
    }

    /// Makes the sessions appear busy for the next statements that contain `text`.
    pub(crate) fn keep_busy(&self, text: &str, statements: u32) {
        *locked(&self.busy) = (text.to_owned(), statements);
    }

    fn is_kept_busy(&self, request: &ExecuteRequest) -> bool {
        let (text, left) = &mut *locked(&self.busy);
        let is_due = *left > 0 && request.texts.iter().any(|it| it.contains(text.as_str()));
        *left -= u32::from(is_due);
        is_due
    }

    /// A closed session has the same message as a busy one; an unknown one has its own.
    fn missing_session(&self, id: &str) -> ApiError {
        if locked(&self.closed).contains_key(id) {
            return ApiError::invalid(NOT_AVAILABLE);
        }
        ApiError::invalid(format!("Session with Id: {id} is invalid"))
    }

    /// Lists one session, or all open ones.
    fn list_sessions(&self, body: &[u8]) -> Result<Value, ApiError> {
        if !self.cluster.options.data_api.lists_sessions {
            let message = "User is not authorized to perform: redshift-data:ListSessions";
            return Err(ApiError::new("AccessDeniedException", message));
        }
        self.close_expired();
        let members = Members::parse(body, &["SessionId", "MaxResults", "NextToken"])?;
        let wanted = members.text("SessionId")?;
        let data = |id: &String, status: &str, created: SystemTime| json!({ "SessionId": id, "Status": status, "CreatedAt": epoch_seconds(created) });
        let sessions = locked(&self.sessions);
        let open = sessions.iter().map(|(id, kept)| {
            let is_busy = kept.session.try_lock().is_err();
            data(id, if is_busy { "BUSY" } else { "AVAILABLE" }, kept.created)
        });
        let Some(wanted) = wanted else {
            return Ok(json!({ "Sessions": open.collect::<Vec<_>>() }));
        };
        let closed = locked(&self.closed).get(&wanted).map(|it| data(&wanted, "CLOSED", *it));
        let found = open.into_iter().find(|it| it["SessionId"] == wanted.as_str()).or(closed);
        let missing = || ApiError::not_found(format!("Session with Id: {wanted} is invalid"));
        found.map(|session| json!({ "Sessions": [session] })).ok_or_else(missing)
    }

    /// Refuses a call with `WaitTimeSeconds` if a test asked for it.
    fn check_waiting(&self, waits: Option<u64>) -> Result<(), ApiError> {
        if waits.is_none() || !take_one(&self.refused_waits) {
            return Ok(());
        }
        let message = "The number of active requests with WaitTimeSeconds for the same SQL statement exceeds the limit.";
        Err(ApiError::new("ActiveWaitingRequestsExceededException", message))
    }

    /// Finds an execution by statement ID; an ID with `:n` refers to a statement of a batch.
    fn find(&self, id: &str) -> Result<(Arc<Execution>, Option<usize>), ApiError> {
        let (bare, part) = id.split_once(':').map_or((id, None), |(bare, part)| (bare, Some(part)));
        let part = part.map(|part| part.parse().unwrap_or(0));
        let missing = || ApiError::not_found("Query does not exist.");
        let found = locked(&self.executions).get(bare).cloned();
        found.map(|execution| (execution, part)).ok_or_else(missing)
    }

    fn describe(&self, body: &[u8]) -> Result<Value, ApiError> {
        let members = Members::parse(body, &["Id", "WaitTimeSeconds"])?;
        let (execution, _) = self.find(&members.required("Id")?)?;
        let waits = members.number("WaitTimeSeconds", 1, 30)?;
        self.check_waiting(waits)?;
        if let Some(seconds) = waits {
            execution.wait(seconds);
        }
        Ok(execution.describe_response())
    }

    fn result(&self, body: &[u8]) -> Result<Value, ApiError> {
        let members = Members::parse(body, &["Id", "NextToken", "WaitTimeSeconds"])?;
        let (execution, part) = self.find(&members.required("Id")?)?;
        let waits = members.number("WaitTimeSeconds", 1, 30)?;
        self.check_waiting(waits)?;
        if let Some(seconds) = waits {
            execution.wait(seconds);
        }
        let result = execution.result(part).ok_or_else(|| {
            ApiError::not_found(
                "Query does not have result. Please check query status with DescribeStatement.",
            )
        })?;
        let from = match members.text("NextToken")? {
            None => 0,
            Some(token) => token
                .strip_prefix(&format!("{}-", execution.id))
                .and_then(|row| row.parse().ok())
                .ok_or_else(|| ApiError::invalid("Invalid NextToken"))?,
        };
        let to = from + self.cluster.options.data_api.page_rows;
        let mut response = json!({
            "ColumnMetadata": result.metadata(),
            "Records": result.records(from, to),
            "TotalNumRows": result.rows.len(),
        });
        if to < result.rows.len() {
            response["NextToken"] = json!(format!("{}-{to}", execution.id));
        }
        Ok(response)
    }

    fn cancel(&self, body: &[u8]) -> Result<Value, ApiError> {
        let members = Members::parse(body, &["Id"])?;
        let id = members.required("Id")?;
        let (execution, _) = self.find(&id)?;
        match execution.cancel() {
            Err(status) => Err(ApiError::invalid(format!(
                "Could not cancel a query that is already in {status} state with ID: {id}"
            ))),
            Ok(key) => {
                if let Some(key) = key {
                    let _ = backend::cancel(&self.cluster.target, &key);
                }
                Ok(json!({ "Status": true }))
            }
        }
    }
}

/// Runs a single statement; returns its error.
fn run_single(execution: &Execution, session: &mut Session) -> Option<String> {
    let result = StatementResult::run(session, &execution.request.statements[0]);
    let error = result.error.clone();
    execution.add_result(result);
    error
}

/// Runs a batch in one transaction, or with auto-commit; returns the first error.
fn run_batch(execution: &Execution, session: &mut Session) -> Option<String> {
    let transaction = !execution.request.auto_commit;
    if transaction {
        let _ = session.backend.query("begin");
    }
    let mut error = None;
    for (number, statement) in (1..).zip(&execution.request.statements) {
        let result = StatementResult::run(session, statement);
        if let Some(text) = &result.error {
            error = error.or(Some(format!("Query #{number} failed with {text}")));
        }
        execution.add_result(result);
        if transaction && error.is_some() {
            break;
        }
    }
    if transaction && error.is_none() {
        // Run COMMIT as a statement of the session, so that it is logged and can meet a fault.
        let commit = StatementResult::run(session, "commit");
        error = commit.error;
    }
    if transaction && error.is_some() {
        let _ = session.backend.query("rollback");
    }
    error
}
