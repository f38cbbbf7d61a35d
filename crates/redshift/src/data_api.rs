//! Data API: statements as signed HTTPS requests. It needs neither network access to the cluster's
//! port nor a password.
//!
//! All statements share one Data API session, so that transactions span statements. A long-running
//! statement is polled with `DescribeStatement`. A request without a response is retried with the
//! same client token, which makes the retry idempotent. Rows are fetched page by page.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::channel::{Channel, ChannelError};
use super::data_api_result as result;
use super::keep_alive::{KeepAlive, SessionLock};
use super::message::ServerError;
use super::service::{aws_failed, config_failed};
use sparkify_aws::{AwsError, Called, Calls, Service};
use sparkify_config::{DataApiTarget, Server, Settings};
use sparkify_warehouse::{Access, split};
use sparkify_warehouse::{Interrupter, RowSink, WarehouseError};

/// Names of the Data API in endpoints, signatures and targets.
const SERVICE: Service =
    Service { name: "redshift-data", id: "Redshift Data", target: "RedshiftData" };
/// Maximum length of a statement in bytes: below the service's limit of 100 KB, with a margin for
/// the encoding of the request.
const LONGEST_STATEMENT: usize = 98_000;
/// Default for the seconds that a session outlives its last statement. The locks of a killed
/// program are released after this time.
const KEEP_ALIVE_SECONDS: u32 = 600;
/// Long polling: seconds for which the service waits for the end of a statement before it responds.
const WAIT_SECONDS: u64 = 20;
/// Timeout of one request: the long poll and a margin for the network.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(WAIT_SECONDS + 10);
/// Exponential backoff between polls, for responses that arrive before the long poll is over.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Maximum number of attempts to submit a statement while the service or the session is busy, about
/// one minute.
const BUSY_TRIES: u32 = 35;
/// Message of the service for a session that is busy or closed.
const NOT_AVAILABLE: &str = "Session is not available";
/// Error code for too many requests that wait for the end of the same statement.
const TOO_MANY_WAITING: &str = "ActiveWaitingRequestsExceededException";

/// Maximum number of statements in one `BatchExecuteStatement`.
const BATCH_STATEMENTS: usize = 40;

/// A Data API session. It is created by the first statement.
pub(super) struct DataApi {
    server: Arc<Server>,
    calls: Arc<Calls>,
    target: DataApiTarget,
    /// Seconds for which a submitted statement may delay the response with its ID.
    submit_seconds: u64,
    session: Option<String>,
    keep_alive: Option<KeepAlive>,
    lock: Arc<SessionLock>,
    /// ID of the running statement, read by the interrupter.
    running: Arc<Mutex<Option<String>>>,
}

/// A finished statement.
struct Finished {
    id: String,
    has_rows: bool,
}

impl DataApi {
    /// Prepares the client. Sends no request before the first statement.
    pub(super) fn begin(
        server: &Arc<Server>,
        settings: &Settings,
        access: Access,
    ) -> Result<Self, WarehouseError> {
        // A statement can be cancelled once its ID is known: a user does not wait for that.
        let submit_seconds = if access == Access::Write { WAIT_SECONDS } else { 1 };
        let target = server.data_api.clone().unwrap_or_default();
        let mut signing = settings.s3.signing().map_err(|error| config_failed(&error))?;
        if let Some(region) = &target.region {
            signing.region = Some(region.clone());
        }
        let calls = Calls::new(&signing, SERVICE).map_err(|error| aws_failed(&error))?;
        Ok(Self {
            server: Arc::clone(server),
            calls: Arc::new(calls),
            target,
            submit_seconds,
            session: None,
            keep_alive: None,
            lock: Arc::default(),
            running: Arc::default(),
        })
    }

    /// Returns the request parameters that select the target: the session if one exists, else
    /// database, cluster or workgroup, and credentials.
    fn target_parameters(&self) -> Map<String, Json> {
        let mut input = Map::new();
        let mut put = |name: &str, value: &str| drop(input.insert(name.into(), value.into()));
        if let Some(session) = &self.session {
            put("SessionId", session);
            return input;
        }
        put("Database", &self.server.database);
        for (name, value) in [
            ("ClusterIdentifier", &self.target.cluster),
            ("WorkgroupName", &self.target.workgroup),
            ("DbUser", &self.target.user),
            ("SecretArn", &self.target.secret),
        ] {
            if let Some(value) = value {
                put(name, value);
            }
        }
        input
    }

    fn call(&self, action: &'static str, input: &Json) -> Result<Json, ChannelError> {
        self.check_response(input, self.calls.call(action, input, REQUEST_TIMEOUT))
    }

    /// Submits a statement. Retries with exponential backoff while the session still runs the
    /// previous statement, or the service has reached its limit of active statements.
    fn submit(&self, action: &'static str, input: &Json) -> Result<Json, ChannelError> {
        let mut input = input.clone();
        let mut pause = FIRST_PAUSE;
        for _ in 1..BUSY_TRIES {
            match self.calls.call(action, &input, REQUEST_TIMEOUT) {
                // The client token makes sure that the statement runs only once.
                Ok(Called::Refused { code, .. }) if code == TOO_MANY_WAITING => {
                    input.as_object_mut().map(|input| input.remove("WaitTimeSeconds"));
                }
                Ok(Called::Refused { code, message }) if self.is_busy(&input, &code, &message) => {
                    tracing::debug!("{message}; retrying in {pause:?}");
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                other => return self.check_response(&input, other),
            }
        }
        self.check_response(&input, self.calls.call(action, &input, REQUEST_TIMEOUT))
    }

    /// Returns true if a refused statement can succeed later.
    ///
    /// The service answers `Session is not available` for a busy session and for a closed one, so
    /// the session's status decides.
    fn is_busy(&self, input: &Json, code: &str, message: &str) -> bool {
        let Some(session) = input["SessionId"].as_str() else {
            return code == "ActiveStatementsExceededException";
        };
        code == "ActiveStatementsExceededException"
            || message.contains(NOT_AVAILABLE) && !self.is_closed(session)
    }

    /// Returns true if the session is known to be closed. An identity without permission to list
    /// sessions cannot know.
    fn is_closed(&self, session: &str) -> bool {
        let input = json!({ "SessionId": session });
        match self.calls.call("ListSessions", &input, REQUEST_TIMEOUT) {
            Ok(Called::Answer(answer)) => {
                !["AVAILABLE", "BUSY"].iter().any(|open| answer["Sessions"][0]["Status"] == *open)
            }
            Ok(Called::Refused { code, message }) => {
                tracing::debug!("cannot read the status of the session: {message} ({code})");
                code == "ResourceNotFoundException"
            }
            Err(error) => {
                tracing::debug!("cannot read the status of the session: {error}");
                false
            }
        }
    }

    fn check_response(
        &self,
        input: &Json,
        called: Result<Called, AwsError>,
    ) -> Result<Json, ChannelError> {
        match called {
            Ok(Called::Answer(answer)) => Ok(answer),
            Ok(Called::Refused { code, message }) => Err(self.refused(input, &code, &message)),
            Err(error) => Err(no_response(error)),
        }
    }

    /// Classifies a refused request. An error about the session means that the session and its
    /// transaction are lost; reaching the limit of sessions does not.
    fn refused(&self, input: &Json, code: &str, message: &str) -> ChannelError {
        let about_session =
            input["SessionId"].is_string() && message.to_lowercase().contains("session");
        if about_session && code != "ActiveSessionsExceededException" {
            return ChannelError::Lost(format!("{message} ({code})"));
        }
        let hint = match code {
            "ResourceNotFoundException" => {
                "check the name of the workgroup or cluster, and the region"
            }
            "AccessDeniedException" | "UnrecognizedClientException" | "IncompleteSignature" => {
                "grant these credentials redshift-data:ExecuteStatement, BatchExecuteStatement, DescribeStatement, GetStatementResult and CancelStatement, and access to the database"
            }
            "ActiveStatementsExceededException" | "ActiveSessionsExceededException" => {
                "wait until other statements or sessions end, then run it again"
            }
            _ => "look up the error code in the Data API documentation",
        };
        ChannelError::Client(WarehouseError::NotConnected {
            server: self.server.to_string(),
            reason: format!("{message} ({code})"),
            hint: hint.into(),
        })
    }

    fn execute(
        &mut self,
        action: &'static str,
        what: (&str, Json),
    ) -> Result<Finished, ChannelError> {
        // The lock keeps the keep-alive thread from sending a statement at the same time.
        let lock = Arc::clone(&self.lock);
        let mut last = lock.lock();
        let finished = self.submit_and_wait(action, what);
        *last = Some(Instant::now());
        finished
    }

    fn submit_and_wait(
        &mut self,
        action: &'static str,
        what: (&str, Json),
    ) -> Result<Finished, ChannelError> {
        let mut input = self.target_parameters();
        input.insert(what.0.into(), what.1);
        input.insert("ClientToken".into(), token().into());
        input.insert("SessionKeepAliveSeconds".into(), self.keep_alive_seconds().into());
        input.insert("WaitTimeSeconds".into(), self.submit_seconds.into());
        let answer = self.submit(action, &Json::Object(input))?;
        if let Some(session) = answer["SessionId"].as_str() {
            if self.session.is_none() {
                self.keep_alive = Some(self.start_keep_alive(session));
            }
            self.session = Some(session.to_owned());
        }
        let id = answer["Id"].as_str().unwrap_or_default().to_owned();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
        let finished = self.wait(id, answer);
        // The ID of a statement whose end is unknown is kept: it may still run, and `end` cancels
        // it.
        if !matches!(finished, Err(ChannelError::Lost(_))) {
            *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        finished
    }

    /// Returns the seconds that a session outlives its last statement.
    fn keep_alive_seconds(&self) -> u32 {
        self.target.session.unwrap_or(KEEP_ALIVE_SECONDS)
    }

    /// Starts the keep-alive. It sends a statement after a quarter of the session's lifetime, so
    /// that the session survives a few lost requests.
    fn start_keep_alive(&self, session: &str) -> KeepAlive {
        let (calls, session) = (Arc::clone(&self.calls), session.to_owned());
        let alive = self.keep_alive_seconds();
        let every = Duration::from_secs(alive.into()) / 4;
        let select = split(super::dialect::KEEP_ALIVE.text).concat();
        KeepAlive::begin(Arc::clone(&self.lock), every, move || {
            let input = json!({ "SessionId": session, "Sql": select, "SessionKeepAliveSeconds": alive, "WaitTimeSeconds": WAIT_SECONDS, "ClientToken": token() });
            match calls.call("ExecuteStatement", &input, REQUEST_TIMEOUT) {
                Ok(Called::Answer(_)) => {}
                other => tracing::debug!("keep-alive statement failed: {other:?}"),
            }
        })
    }

    /// Ends the session and its open transaction. The Data API has no such call; a last statement
    /// with a keep-alive of 0 seconds ends the session.
    fn end(&mut self) {
        self.keep_alive = None;
        let Some(session) = self.session.take() else { return };
        cancel_running(&self.calls, &self.running);
        let rollback = split(super::dialect::SESSION_END.text).concat();
        let input = json!({ "SessionId": session, "Sql": rollback, "SessionKeepAliveSeconds": 0, "WaitTimeSeconds": WAIT_SECONDS, "ClientToken": token() });
        if let Err(error) = self.submit("ExecuteStatement", &input) {
            tracing::debug!("cannot end the Data API session: {error:?}");
        }
    }

    /// Polls a statement until it has finished.
    ///
    /// `known` is the last response. The response to `ExecuteStatement` may lack the error text or
    /// the result flag of a finished statement; then one `DescribeStatement` completes it. If that
    /// lacks them too, defaults are filled in, so that the loop ends.
    fn wait(&self, id: String, mut known: Json) -> Result<Finished, ChannelError> {
        let mut pause = FIRST_PAUSE;
        let mut input = json!({ "Id": id, "WaitTimeSeconds": WAIT_SECONDS });
        loop {
            let has_rows = known["HasResultSet"].as_bool();
            match (known["Status"].as_str().unwrap_or_default(), has_rows) {
                ("FINISHED", Some(has_rows)) => return Ok(Finished { id, has_rows }),
                ("FAILED", _) if known["Error"].is_string() => {
                    return Err(statement_error(&known, ""));
                }
                // 57014 is the SQLSTATE of a cancelled statement.
                ("ABORTED", _) => return Err(statement_error(&known, "57014")),
                ("FINISHED" | "FAILED", _) => {}
                _ => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            known = match self.calls.call("DescribeStatement", &input, REQUEST_TIMEOUT) {
                // The statement runs on: poll it without long polling.
                Ok(Called::Refused { code, .. }) if code == TOO_MANY_WAITING => {
                    input = json!({ "Id": id });
                    continue;
                }
                called => self.check_response(&input, called)?,
            };
            if known["Status"] == "FAILED" && !known["Error"].is_string() {
                known["Error"] =
                    "the statement failed; the service returned no error message".into();
            }
            if known["Status"] == "FINISHED" && !known["HasResultSet"].is_boolean() {
                known["HasResultSet"] = false.into();
            }
        }
    }

    /// Fetches all pages of a result and passes the rows to `sink`. Returns the number of rows.
    fn rows(&self, id: &str, sink: &mut dyn RowSink) -> Result<u64, ChannelError> {
        let (mut kinds, mut count, mut token) = (None, 0, Json::Null);
        loop {
            let mut input = json!({ "Id": id });
            if !token.is_null() {
                input["NextToken"] = token;
            }
            let mut page = self.call("GetStatementResult", &input)?;
            let kinds = match &mut kinds {
                Some(kinds) => kinds,
                none => none.insert(result::begin(&page, sink)?),
            };
            let Json::Array(records) = page["Records"].take() else { break };
            for record in records {
                let cells = record.as_array().map(Vec::as_slice).unwrap_or_default();
                let row = kinds
                    .iter()
                    .zip(cells)
                    .map(|(kind, cell)| result::value(*kind, cell))
                    .collect();
                sink.row(row).map_err(ChannelError::Client)?;
                count += 1;
            }
            token = page["NextToken"].take();
            if token.as_str().is_none_or(str::is_empty) {
                break;
            }
        }
        Ok(count)
    }
}

/// Cancels the running statement, if any.
fn cancel_running(calls: &Calls, running: &Mutex<Option<String>>) {
    let id = running.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(id) = id else { return };
    if let Err(error) = calls.call("CancelStatement", &json!({ "Id": id }), Duration::ZERO) {
        tracing::debug!("cannot cancel the statement: {error}");
    }
}

/// Returns the server's error for a failed statement; of a batch, for the statement that failed.
fn statement_error(described: &Json, code: &str) -> ChannelError {
    let parts = described["SubStatements"].as_array().map(Vec::as_slice).unwrap_or_default();
    let part = parts.iter().find_map(|part| part["Error"].as_str());
    let text = part.or(described["Error"].as_str()).unwrap_or_default();
    let text = text.strip_prefix("ERROR:").unwrap_or(text).trim();
    let (message, detail) = match text.split_once('\n') {
        Some((message, detail)) => (message, Some(detail)),
        None => (text, None),
    };
    let detail = detail.map(|detail| {
        let detail = detail.trim();
        detail
            .strip_prefix("Detail:")
            .or(detail.strip_prefix("DETAIL:"))
            .unwrap_or(detail)
            .trim()
            .to_owned()
    });
    ChannelError::Server(ServerError {
        code: code.into(),
        message: message.trim().into(),
        detail,
        ..ServerError::default()
    })
}

/// Classifies a request without a response. If the request may have been sent, the outcome of the
/// statement is unknown.
fn no_response(error: AwsError) -> ChannelError {
    if error.doing == "call" {
        ChannelError::Lost(error.reason)
    } else {
        ChannelError::Client(aws_failed(&error))
    }
}

/// Returns a new client token (idempotency key). Retries of a request use the same token.
fn token() -> String {
    uuid::Uuid::from_u128(super::staged::random()).to_string()
}

impl Channel for DataApi {
    fn send(&mut self, statement: &str, sink: &mut dyn RowSink) -> Result<u64, ChannelError> {
        let Finished { id, has_rows } =
            self.execute("ExecuteStatement", ("Sql", statement.into()))?;
        if has_rows { self.rows(&id, sink) } else { Ok(0) }
    }

    fn supports_batch(&self, statements: &[String]) -> bool {
        statements.len() <= BATCH_STATEMENTS
            && statements.iter().all(|one| one.len() <= LONGEST_STATEMENT)
    }

    fn send_batch(&mut self, statements: &[String]) -> Result<(), ChannelError> {
        self.execute("BatchExecuteStatement", ("Sqls", json!(statements))).map(drop)
    }

    fn max_statement_len(&self) -> usize {
        LONGEST_STATEMENT
    }

    fn reconnect(&mut self) -> Result<(), WarehouseError> {
        self.end();
        Ok(())
    }

    fn open_another(&self) -> Result<Box<dyn Channel>, WarehouseError> {
        Ok(Box::new(Self {
            server: Arc::clone(&self.server),
            calls: Arc::clone(&self.calls),
            target: self.target.clone(),
            submit_seconds: self.submit_seconds,
            session: None,
            keep_alive: None,
            lock: Arc::default(),
            running: Arc::default(),
        }))
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let (calls, running) = (Arc::clone(&self.calls), Arc::clone(&self.running));
        Some(Box::new(move || cancel_running(&calls, &running)))
    }
}

impl Drop for DataApi {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_message_and_detail_are_separated() {
        let described =
            json!({ "Error": "ERROR: 1023\n  Detail: Serializable isolation violation on table" });
        let ChannelError::Server(error) = statement_error(&described, "") else {
            panic!("no server error")
        };
        assert_eq!(error.message, "1023");
        assert_eq!(error.detail.as_deref(), Some("Serializable isolation violation on table"));
    }
}
