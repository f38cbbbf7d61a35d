//! The Data API: statements by signed requests over HTTP, where there is no way to the cluster's port, or no password.
//!
//! All statements go through one session of it, so that a transaction is one; the last ends it. A statement that takes long is asked after; a request that may
//! have been heard is sent again under the same token, by which the service knows it. Rows come in pages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::channel::{Channel, ChannelError};
use super::decode;
use super::keep_alive::{KeepAlive, Turn};
use super::message::Said;
use super::service::{aws_failed, config_failed};
use sparkify_aws::{AwsError, Called, Calls, Service};
use sparkify_config::{DataApiTarget, Server, Settings};
use sparkify_warehouse::split;
use sparkify_warehouse::{Interrupter, ResultType, RowSink, Value, WarehouseError};

/// Names of the Data API.
const SERVICE: Service =
    Service { name: "redshift-data", id: "Redshift Data", target: "RedshiftData" };
/// A statement is at most so long, in bytes; a little is left for how it travels.
const LONGEST_STATEMENT: usize = 98_000;
/// A session outlives the last statement by so long, unless the URL says otherwise: what a killed program had open is free then.
const ALIVE_SECONDS: u32 = 600;
/// The service is asked to wait so long before it answers that a statement still runs.
const WAIT_SECONDS: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(WAIT_SECONDS + 10);
/// Where it answers sooner, it is asked again after a pause that grows.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often a statement is handed over that nobody takes yet: for about a minute.
const BUSY_TRIES: u32 = 35;

/// The most statements of one request.
const TOGETHER: usize = 40;

/// One session.
pub(super) struct DataApi {
    server: Arc<Server>,
    calls: Arc<Calls>,
    target: DataApiTarget,
    session: Option<String>,
    /// Keeps it alive.
    pulse: Option<KeepAlive>,
    turn: Arc<Turn>,
    /// The statement that is running, for whoever wants it stopped.
    running: Arc<Mutex<Option<String>>>,
}

/// A statement at its end.
struct Ended {
    id: String,
    has_rows: bool,
}

impl DataApi {
    /// Makes ready; nothing is asked before the first statement.
    pub(super) fn begin(server: &Arc<Server>, settings: &Settings) -> Result<Self, WarehouseError> {
        let target = server.data_api.clone().unwrap_or_default();
        let mut access = settings.s3.signing().map_err(|error| config_failed(&error))?;
        if let Some(region) = &target.region {
            access.region = Some(region.clone());
        }
        let calls = Calls::new(&access, SERVICE).map_err(|error| aws_failed(&error))?;
        Ok(Self {
            server: Arc::clone(server),
            calls: Arc::new(calls),
            target,
            session: None,
            pulse: None,
            turn: Arc::default(),
            running: Arc::default(),
        })
    }

    /// Whom to ask: the session, once there is one.
    fn addressed(&self) -> Map<String, Json> {
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
        self.meant(self.calls.call(action, input, PATIENCE))
    }

    /// Hands a statement over. A session that is still at the one before, or a service that has its hands full, takes it later.
    fn submit(&self, action: &'static str, input: &Json) -> Result<Json, ChannelError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..BUSY_TRIES {
            match self.calls.call(action, input, PATIENCE) {
                Ok(Called::Refused { code, message }) if is_busy(&code, &message) => {
                    tracing::debug!("{message}; again in {pause:?}");
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                other => return self.meant(other),
            }
        }
        self.call(action, input)
    }

    fn meant(&self, called: Result<Called, AwsError>) -> Result<Json, ChannelError> {
        match called {
            Ok(Called::Answer(answer)) => Ok(answer),
            Ok(Called::Refused { code, message }) => Err(self.refused(&code, &message)),
            Err(error) => Err(unheard(error)),
        }
    }

    /// A session that is gone took its transaction with it.
    fn refused(&self, code: &str, message: &str) -> ChannelError {
        let about_session = self.session.is_some() && message.to_lowercase().contains("session");
        if about_session && code != "ActiveSessionsExceededException" {
            return ChannelError::Lost(format!("{message} ({code})"));
        }
        let hint = match code {
            "ResourceNotFoundException" => {
                "check the name of the workgroup or cluster, and the region"
            }
            "AccessDeniedException" | "UnrecognizedClientException" | "IncompleteSignature" => {
                "these credentials need redshift-data:ExecuteStatement, BatchExecuteStatement, DescribeStatement, GetStatementResult and CancelStatement, and to be let into the database"
            }
            "ActiveStatementsExceededException" | "ActiveSessionsExceededException" => {
                "wait until others are done"
            }
            _ => "see the documentation of the Data API",
        };
        ChannelError::Ours(WarehouseError::NotConnected {
            server: self.server.to_string(),
            reason: format!("{message} ({code})"),
            hint: hint.into(),
        })
    }

    fn execute(&mut self, action: &'static str, what: (&str, Json)) -> Result<Ended, ChannelError> {
        let turn = Arc::clone(&self.turn);
        let mut last = turn.take();
        let ended = self.take_on(action, what);
        *last = Some(Instant::now());
        ended
    }

    fn take_on(&mut self, action: &'static str, what: (&str, Json)) -> Result<Ended, ChannelError> {
        let mut input = self.addressed();
        input.insert(what.0.into(), what.1);
        input.insert("ClientToken".into(), token().into());
        input.insert("SessionKeepAliveSeconds".into(), self.alive().into());
        input.insert("WaitTimeSeconds".into(), WAIT_SECONDS.into());
        let answer = self.submit(action, &Json::Object(input))?;
        if let Some(session) = answer["SessionId"].as_str() {
            if self.session.is_none() {
                self.pulse = Some(self.beat(session));
            }
            self.session = Some(session.to_owned());
        }
        let id = answer["Id"].as_str().unwrap_or_default().to_owned();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
        let ended = self.wait(id, answer);
        // Of a statement that nobody told the end of, the name is kept: it may run still.
        if !matches!(ended, Err(ChannelError::Lost(_))) {
            *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        ended
    }

    /// How many seconds a session outlives its last statement.
    fn alive(&self) -> u32 {
        self.target.session.unwrap_or(ALIVE_SECONDS)
    }

    /// Keeps a session alive, with room for some beats that are lost.
    fn beat(&self, session: &str) -> KeepAlive {
        let (calls, session, alive) = (Arc::clone(&self.calls), session.to_owned(), self.alive());
        let every = Duration::from_secs(alive.into()) / 4;
        let select = split(super::dialect::KEEP_ALIVE.text).concat();
        KeepAlive::begin(Arc::clone(&self.turn), every, move || {
            let input = json!({ "SessionId": session, "Sql": select, "SessionKeepAliveSeconds": alive, "WaitTimeSeconds": WAIT_SECONDS, "ClientToken": token() });
            match calls.call("ExecuteStatement", &input, PATIENCE) {
                Ok(Called::Answer(_)) => {}
                other => tracing::debug!("keeping a session alive: {other:?}"),
            }
        })
    }

    /// Ends the session, and whatever is open in it: the service has no call for that, but lets a session live no longer than its last statement.
    fn end(&mut self) {
        self.pulse = None;
        let Some(session) = self.session.take() else { return };
        stop(&self.calls, &self.running);
        let rollback = split(super::dialect::SESSION_END.text).concat();
        let input = json!({ "SessionId": session, "Sql": rollback, "SessionKeepAliveSeconds": 0, "WaitTimeSeconds": WAIT_SECONDS, "ClientToken": token() });
        if let Err(error) = self.submit("ExecuteStatement", &input) {
            tracing::debug!("ending a session: {error:?}");
        }
    }

    /// Asks after a statement until it is at its end.
    fn wait(&self, id: String, mut known: Json) -> Result<Ended, ChannelError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let has_rows = known["HasResultSet"].as_bool();
            match (known["Status"].as_str().unwrap_or_default(), has_rows) {
                ("FINISHED", Some(has_rows)) => return Ok(Ended { id, has_rows }),
                ("FAILED", _) if known["Error"].is_string() => return Err(said(&known, "")),
                ("ABORTED", _) => return Err(said(&known, "57014")),
                ("FINISHED" | "FAILED", _) => {}
                _ => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            let input = json!({ "Id": id, "WaitTimeSeconds": WAIT_SECONDS });
            known = self.call("DescribeStatement", &input)?;
            if known["Status"] == "FAILED" && !known["Error"].is_string() {
                known["Error"] = "the statement failed, and the service does not say why".into();
            }
            if known["Status"] == "FINISHED" && !known["HasResultSet"].is_boolean() {
                known["HasResultSet"] = false.into();
            }
        }
    }

    /// Every page of rows.
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
                none => none.insert(begin(&page, sink)?),
            };
            let Json::Array(records) = page["Records"].take() else { break };
            for record in records {
                let cells = record.as_array().map(Vec::as_slice).unwrap_or_default();
                let row = kinds.iter().zip(cells).map(|(kind, cell)| value(*kind, cell)).collect();
                sink.row(row).map_err(ChannelError::Ours)?;
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

fn is_busy(code: &str, message: &str) -> bool {
    code == "ActiveStatementsExceededException" || message.to_lowercase().contains("busy")
}

/// Cancels the statement that is running, if one is.
fn stop(calls: &Calls, running: &Mutex<Option<String>>) {
    let id = running.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(id) = id else { return };
    if let Err(error) = calls.call("CancelStatement", &json!({ "Id": id }), Duration::ZERO) {
        tracing::debug!("cancelling: {error}");
    }
}

/// Tells the taker of the rows what they are.
fn begin(page: &Json, sink: &mut dyn RowSink) -> Result<Vec<ResultType>, ChannelError> {
    let columns = page["ColumnMetadata"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kinds: Vec<ResultType> = columns.iter().map(kind).collect();
    let name = |column: &Json| {
        let label = column["label"].as_str().filter(|label| !label.is_empty());
        label.or(column["name"].as_str()).unwrap_or_default().to_owned()
    };
    let begun = sink.types(&kinds).and_then(|()| sink.start(columns.iter().map(name).collect()));
    begun.map(|()| kinds).map_err(ChannelError::Ours)
}

fn kind(column: &Json) -> ResultType {
    match column["typeName"].as_str().unwrap_or_default() {
        "bool" | "boolean" => ResultType::Boolean,
        "int2" | "int4" | "smallint" | "integer" => ResultType::Integer,
        "int8" | "bigint" | "oid" => ResultType::BigInt,
        "float4" | "float8" => ResultType::Double,
        "numeric" | "decimal" => {
            let part = |name: &str| column[name].as_i64();
            let digits = part("precision").and_then(|digits| u8::try_from(digits).ok());
            let scale = part("scale").and_then(|scale| i8::try_from(scale).ok());
            ResultType::Decimal(
                digits.filter(|digits| *digits > 0).unwrap_or(38),
                scale.unwrap_or(0),
            )
        }
        "date" => ResultType::Date,
        "timestamp" | "timestamptz" => ResultType::Timestamp,
        "varbyte" | "bytea" => ResultType::Bytes,
        _ => ResultType::Text,
    }
}

/// A cell: it says of itself in which of a few forms its value is; what comes as text is read as on the wire.
fn value(kind: ResultType, cell: &Json) -> Value {
    if cell["isNull"] == true {
        return Value::Null;
    }
    if let Some(text) = cell["stringValue"].as_str() {
        return decode::value(kind, Some(text.as_bytes()));
    }
    if let Some(whole) = cell["longValue"].as_i64() {
        return Value::Int(whole.into());
    }
    if let Some(double) = cell["doubleValue"].as_f64() {
        return Value::Double(double);
    }
    if let Some(truth) = cell["booleanValue"].as_bool() {
        return Value::Bool(truth);
    }
    cell["blobValue"].as_str().and_then(unbase64).map_or(Value::Null, Value::Bytes)
}

/// Bytes as JSON carries them for AWS.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits =
            four.iter().try_fold(0_u32, |bits, byte| Some(bits << 6 | u32::from(digit(*byte)?)))?;
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len().max(2)]);
    }
    Some(bytes)
}

/// What the cluster says of a statement that failed; of several, of the one that did.
fn said(described: &Json, code: &str) -> ChannelError {
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
    ChannelError::Said(Said {
        code: code.into(),
        message: message.trim().into(),
        detail,
        ..Said::default()
    })
}

/// No answer came in the end: what the statement did is not known.
fn unheard(error: AwsError) -> ChannelError {
    if error.doing == "call" {
        ChannelError::Lost(error.reason)
    } else {
        ChannelError::Ours(aws_failed(&error))
    }
}

/// A name for one request, which sending it again does not change.
fn token() -> String {
    uuid::Uuid::from_u128(super::staged::random()).to_string()
}

impl Channel for DataApi {
    fn send(&mut self, statement: &str, sink: &mut dyn RowSink) -> Result<u64, ChannelError> {
        let Ended { id, has_rows } = self.execute("ExecuteStatement", ("Sql", statement.into()))?;
        if has_rows { self.rows(&id, sink) } else { Ok(0) }
    }

    fn takes_together(&self, statements: &[String]) -> bool {
        statements.len() <= TOGETHER && statements.iter().all(|one| one.len() <= LONGEST_STATEMENT)
    }

    fn send_together(&mut self, statements: &[String]) -> Result<(), ChannelError> {
        self.execute("BatchExecuteStatement", ("Sqls", json!(statements))).map(drop)
    }

    fn longest(&self) -> usize {
        LONGEST_STATEMENT
    }

    fn reconnect(&mut self) -> Result<(), WarehouseError> {
        self.end();
        Ok(())
    }

    fn another(&self) -> Result<Box<dyn Channel>, WarehouseError> {
        Ok(Box::new(Self {
            server: Arc::clone(&self.server),
            calls: Arc::clone(&self.calls),
            target: self.target.clone(),
            session: None,
            pulse: None,
            turn: Arc::default(),
            running: Arc::default(),
        }))
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let (calls, running) = (Arc::clone(&self.calls), Arc::clone(&self.running));
        Some(Box::new(move || stop(&calls, &running)))
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
    fn cells_are_values_of_their_columns() {
        let text = json!({ "stringValue": "2018-11-01 21:01:46.796" });
        assert_eq!(value(ResultType::Timestamp, &text), Value::Timestamp(1_541_106_106_796_000));
        assert_eq!(value(ResultType::Text, &json!({ "isNull": true })), Value::Null);
        assert_eq!(
            value(ResultType::BigInt, &json!({ "longValue": i64::MIN })),
            Value::Int(i64::MIN.into())
        );
        assert_eq!(
            value(ResultType::Bytes, &json!({ "blobValue": "AP8=" })),
            Value::Bytes(vec![0, 255])
        );
        for (text, bytes) in [("", &b""[..]), ("YQ==", b"a"), ("YWI=", b"ab"), ("YWJj", b"abc")] {
            assert_eq!(unbase64(text).as_deref(), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_a_cluster_says_comes_through() {
        let described =
            json!({ "Error": "ERROR: 1023\n  Detail: Serializable isolation violation on table" });
        let ChannelError::Said(said) = said(&described, "") else { panic!("words") };
        assert_eq!(said.message, "1023");
        assert_eq!(said.detail.as_deref(), Some("Serializable isolation violation on table"));
    }
}
