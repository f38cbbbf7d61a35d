//! One request to execute, from SUBMITTED to its end, and what can be asked about it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::request::Execution;
use super::work::Harvest;
use crate::clock::epoch;

/// How far it came.
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

/// What changes while it runs.
#[derive(Debug)]
struct Progress {
    status: Status,
    /// One for each statement that ended.
    harvests: Vec<Harvest>,
    error: Option<String>,
    updated: SystemTime,
    /// How many more times it is said not to have ended.
    polls: u32,
    asked: u32,
    /// What cancels its statement.
    key: Option<[u8; 8]>,
    cancelled: bool,
}

/// One request to execute.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) execution: Execution,
    pub(crate) user: String,
    pub(crate) session: Option<String>,
    created: SystemTime,
    progress: Mutex<Progress>,
    ended: Condvar,
}

impl Job {
    pub(crate) fn new(
        execution: Execution,
        user: String,
        session: Option<String>,
        polls: u32,
    ) -> Self {
        let created = SystemTime::now();
        let progress = Progress {
            status: Status::Started,
            harvests: Vec::new(),
            error: None,
            updated: created,
            polls,
            asked: 0,
            key: None,
            cancelled: false,
        };
        let (id, progress, ended) = (crate::random::uuid(), Mutex::new(progress), Condvar::new());
        Self { id, execution, user, session, created, progress, ended }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what cancels it, and whether it was cancelled already.
    pub(crate) fn at_work(&self, key: [u8; 8]) -> bool {
        let mut progress = self.progress();
        progress.key = Some(key);
        progress.cancelled
    }

    /// A statement of it ended.
    pub(crate) fn reaped(&self, harvest: Harvest) {
        self.progress().harvests.push(harvest);
    }

    /// It ended.
    pub(crate) fn end(&self, error: Option<String>) {
        let mut progress = self.progress();
        progress.status = match (&error, progress.cancelled) {
            (Some(_), true) => Status::Aborted,
            (Some(_), false) => Status::Failed,
            (None, _) => Status::Finished,
        };
        progress.error = error;
        progress.updated = SystemTime::now();
        progress.key = None;
        self.ended.notify_all();
    }

    /// Waits for its end, so long; then it is told as it is.
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
        progress.polls = 0;
    }

    /// Its key, if it can be cancelled still; marks it so.
    pub(crate) fn cancel(&self) -> Result<Option<[u8; 8]>, &'static str> {
        let mut progress = self.progress();
        if progress.status != Status::Started {
            return Err(progress.status.name());
        }
        progress.cancelled = true;
        Ok(progress.key)
    }

    /// What its status is said to be; asking counts.
    fn shown(progress: &mut Progress) -> &'static str {
        if progress.polls == 0 {
            return progress.status.name();
        }
        progress.polls -= 1;
        progress.asked += 1;
        ["SUBMITTED", "PICKED", "STARTED"][(progress.asked as usize - 1).min(2)]
    }

    /// The result of it or of its `part`-th statement, once it ended well.
    pub(crate) fn result(&self, part: Option<usize>) -> Option<Harvest> {
        let progress = self.progress();
        if progress.polls > 0 || progress.status == Status::Started {
            return None;
        }
        let at = match part {
            Some(part) => part.checked_sub(1)?,
            None if self.execution.batch => return None,
            None => 0,
        };
        let harvest = progress.harvests.get(at)?;
        (harvest.columns.is_some() && harvest.error.is_none()).then(|| harvest.clone())
    }

    /// What `ExecuteStatement` answers.
    pub(crate) fn accepted(&self) -> Value {
        let mut answer = self.place();
        answer["CreatedAt"] = json!(epoch(self.created));
        answer["DbGroups"] = json!([]);
        if self.execution.wait.is_some() {
            let mut progress = self.progress();
            answer["Status"] = json!(Self::shown(&mut progress));
            answer["HasResultSet"] =
                json!(progress.harvests.iter().any(|harvest| harvest.columns.is_some()));
        }
        answer
    }

    fn place(&self) -> Value {
        let execution = &self.execution;
        let mut place = json!({ "Id": self.id, "DbUser": self.user });
        let members = [
            ("ClusterIdentifier", &execution.cluster),
            ("WorkgroupName", &execution.workgroup),
            ("Database", &execution.database),
            ("SecretArn", &execution.secret),
            ("SessionId", &self.session),
        ];
        for (name, member) in members {
            if let Some(value) = member {
                place[name] = json!(value);
            }
        }
        place
    }

    /// What `DescribeStatement` answers.
    pub(crate) fn description(&self) -> Value {
        let mut progress = self.progress();
        let status = Self::shown(&mut progress);
        let over = progress.status != Status::Started && status == progress.status.name();
        let harvests: &[Harvest] = if over { &progress.harvests } else { &[] };
        let has_result = harvests.iter().any(|harvest| harvest.columns.is_some());
        let took = progress.updated.duration_since(self.created).unwrap_or_default();
        let mut answer = self.place();
        answer["Status"] = json!(status);
        answer["CreatedAt"] = json!(epoch(self.created));
        answer["UpdatedAt"] = json!(epoch(progress.updated));
        answer["Duration"] =
            json!(if over { i64::try_from(took.as_nanos()).unwrap_or(-1) } else { -1 });
        answer["HasResultSet"] = json!(has_result);
        answer["RedshiftPid"] = json!(0);
        answer["RedshiftQueryId"] = json!(0);
        answer["ResultFormat"] = json!("JSON");
        answer["ResultRows"] = json!(harvests.first().map_or(-1, Harvest::result_rows));
        answer["ResultSize"] = json!(harvests.first().map_or(-1, Harvest::result_size));
        if let Some(error) = progress.error.as_ref().filter(|_| over) {
            answer["Error"] = json!(error);
        }
        if self.execution.batch {
            let parts = self.execution.texts.iter().enumerate();
            answer["SubStatements"] = parts
                .map(|(at, text)| self.part(at, text, &progress, over))
                .collect::<Vec<_>>()
                .into();
        } else {
            answer["QueryString"] = json!(self.execution.texts[0]);
        }
        answer
    }

    /// One statement of a batch.
    fn part(&self, at: usize, text: &str, progress: &Progress, over: bool) -> Value {
        let harvest = progress.harvests.get(at).filter(|_| over);
        let status = match harvest {
            Some(harvest) if harvest.error.is_some() => "FAILED",
            Some(_) => "FINISHED",
            None if over => "ABORTED",
            None => "SUBMITTED",
        };
        let mut part = json!({
            "Id": format!("{}:{}", self.id, at + 1),
            "QueryString": text,
            "Status": status,
            "CreatedAt": epoch(self.created),
            "UpdatedAt": epoch(progress.updated),
            "HasResultSet": harvest.is_some_and(|harvest| harvest.columns.is_some()),
            "ResultRows": harvest.map_or(-1, Harvest::result_rows),
            "ResultSize": harvest.map_or(-1, Harvest::result_size),
        });
        if let Some(error) = harvest.and_then(|harvest| harvest.error.as_ref()) {
            part["Error"] = json!(error);
        }
        part
    }
}
