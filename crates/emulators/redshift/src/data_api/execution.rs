//! Execution of one `ExecuteStatement` or `BatchExecuteStatement` request, from SUBMITTED to its
//! end.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::request::ExecuteRequest;
use super::result::StatementResult;
use crate::clock::epoch_seconds;

/// Status of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Started,
    Finished,
    Failed,
    Aborted,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Aborted => "ABORTED",
        }
    }
}

/// State that changes during the execution.
#[derive(Debug)]
struct Progress {
    status: Status,
    /// Results of the statements that ended.
    results: Vec<StatementResult>,
    error: Option<String>,
    updated: SystemTime,
    /// Number of status reports that will still show the execution as unfinished.
    pending_polls: u32,
    /// Number of status reports that showed it as unfinished.
    polled: u32,
    /// Cancel key of the backend session, while a statement runs.
    cancel_key: Option<[u8; 8]>,
    cancelled: bool,
}

/// Execution of a request.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) request: ExecuteRequest,
    pub(crate) user: String,
    /// ID of the session that the execution keeps open.
    pub(crate) session: Option<String>,
    created: SystemTime,
    progress: Mutex<Progress>,
    /// Notified when the execution ends.
    ended: Condvar,
}

impl Execution {
    pub(crate) fn new(
        request: ExecuteRequest,
        user: String,
        session: Option<String>,
        polls: u32,
    ) -> Self {
        let created = SystemTime::now();
        let progress = Progress {
            status: Status::Started,
            results: Vec::new(),
            error: None,
            updated: created,
            pending_polls: polls,
            polled: 0,
            cancel_key: None,
            cancelled: false,
        };
        let (id, progress, ended) = (crate::random::uuid(), Mutex::new(progress), Condvar::new());
        Self { id, request, user, session, created, progress, ended }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the cancel key; returns true if the execution was cancelled already.
    pub(crate) fn start(&self, cancel_key: [u8; 8]) -> bool {
        let mut progress = self.progress();
        progress.cancel_key = Some(cancel_key);
        progress.cancelled
    }

    /// Adds the result of a statement that ended.
    pub(crate) fn add_result(&self, result: StatementResult) {
        self.progress().results.push(result);
    }

    /// Sets the final status.
    pub(crate) fn finish(&self, error: Option<String>) {
        let mut progress = self.progress();
        progress.status = match (&error, progress.cancelled) {
            (Some(_), true) => Status::Aborted,
            (Some(_), false) => Status::Failed,
            (None, _) => Status::Finished,
        };
        progress.error = error;
        progress.updated = SystemTime::now();
        progress.cancel_key = None;
        self.ended.notify_all();
    }

    /// Waits up to `seconds` for the end. If it ended, status reports show the real status from
    /// then on.
    pub(crate) fn wait(&self, seconds: u64) {
        let until = Instant::now() + Duration::from_secs(seconds);
        let mut progress = self.progress();
        while progress.status == Status::Started {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.ended.wait_timeout(progress, left);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        progress.pending_polls = 0;
    }

    /// Marks the execution as cancelled and returns the cancel key of its backend session.
    ///
    /// Returns the status as an error if the execution ended already.
    pub(crate) fn cancel(&self) -> Result<Option<[u8; 8]>, &'static str> {
        let mut progress = self.progress();
        if progress.status != Status::Started {
            return Err(progress.status.name());
        }
        progress.cancelled = true;
        Ok(progress.cancel_key)
    }

    /// Returns the status to report, and counts the report.
    fn reported_status(progress: &mut Progress) -> &'static str {
        if progress.pending_polls == 0 {
            return progress.status.name();
        }
        progress.pending_polls -= 1;
        progress.polled += 1;
        ["SUBMITTED", "PICKED", "STARTED"][(progress.polled as usize - 1).min(2)]
    }

    /// Returns the rows of the statement, or of a batch's statement number `part`, if it succeeded.
    pub(crate) fn result(&self, part: Option<usize>) -> Option<StatementResult> {
        let progress = self.progress();
        if progress.pending_polls > 0 || progress.status == Status::Started {
            return None;
        }
        let at = match part {
            Some(part) => part.checked_sub(1)?,
            None if self.request.batch => return None,
            None => 0,
        };
        let result = progress.results.get(at)?;
        (result.columns.is_some() && result.error.is_none()).then(|| result.clone())
    }

    /// Returns the response of `ExecuteStatement` and `BatchExecuteStatement`.
    pub(crate) fn execute_response(&self) -> Value {
        let mut response = self.identifiers();
        response["CreatedAt"] = json!(epoch_seconds(self.created));
        response["DbGroups"] = json!([]);
        if self.request.wait.is_some() {
            let mut progress = self.progress();
            response["Status"] = json!(Self::reported_status(&mut progress));
            response["HasResultSet"] =
                json!(progress.results.iter().any(|result| result.columns.is_some()));
        }
        response
    }

    /// Returns the response members that identify statement, user, database and session.
    fn identifiers(&self) -> Value {
        let request = &self.request;
        let mut response = json!({ "Id": self.id, "DbUser": self.user });
        let members = [
            ("ClusterIdentifier", &request.cluster),
            ("WorkgroupName", &request.workgroup),
            ("Database", &request.database),
            ("SecretArn", &request.secret),
            ("SessionId", &self.session),
        ];
        for (name, member) in members {
            if let Some(value) = member {
                response[name] = json!(value);
            }
        }
        response
    }

    /// Returns the response of `DescribeStatement`.
    pub(crate) fn describe_response(&self) -> Value {
        let mut progress = self.progress();
        let status = Self::reported_status(&mut progress);
        let ended = progress.status != Status::Started && status == progress.status.name();
        let results: &[StatementResult] = if ended { &progress.results } else { &[] };
        let has_result = results.iter().any(|result| result.columns.is_some());
        let duration = progress.updated.duration_since(self.created).unwrap_or_default();
        let mut response = self.identifiers();
        response["Status"] = json!(status);
        response["CreatedAt"] = json!(epoch_seconds(self.created));
        response["UpdatedAt"] = json!(epoch_seconds(progress.updated));
        response["Duration"] =
            json!(if ended { i64::try_from(duration.as_nanos()).unwrap_or(-1) } else { -1 });
        response["HasResultSet"] = json!(has_result);
        response["RedshiftPid"] = json!(0);
        response["RedshiftQueryId"] = json!(0);
        response["ResultFormat"] = json!("JSON");
        response["ResultRows"] = json!(results.first().map_or(-1, StatementResult::result_rows));
        response["ResultSize"] = json!(results.first().map_or(-1, StatementResult::result_size));
        if let Some(error) = progress.error.as_ref().filter(|_| ended) {
            response["Error"] = json!(error);
        }
        if self.request.batch {
            let parts = self.request.texts.iter().enumerate();
            response["SubStatements"] = parts
                .map(|(at, text)| self.sub_statement(at, text, &progress, ended))
                .collect::<Vec<_>>()
                .into();
        } else {
            response["QueryString"] = json!(self.request.texts[0]);
        }
        response
    }

    /// Returns the description of one statement of a batch.
    fn sub_statement(&self, at: usize, text: &str, progress: &Progress, ended: bool) -> Value {
        let result = progress.results.get(at).filter(|_| ended);
        let status = match result {
            Some(result) if result.error.is_some() => "FAILED",
            Some(_) => "FINISHED",
            None if ended => "ABORTED",
            None => "SUBMITTED",
        };
        let mut part = json!({
            "Id": format!("{}:{}", self.id, at + 1),
            "QueryString": text,
            "Status": status,
            "CreatedAt": epoch_seconds(self.created),
            "UpdatedAt": epoch_seconds(progress.updated),
            "HasResultSet": result.is_some_and(|result| result.columns.is_some()),
            "ResultRows": result.map_or(-1, StatementResult::result_rows),
            "ResultSize": result.map_or(-1, StatementResult::result_size),
        });
        if let Some(error) = result.and_then(|result| result.error.as_ref()) {
            part["Error"] = json!(error);
        }
        part
    }
}
