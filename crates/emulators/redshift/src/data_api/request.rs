//! Parsing and validation of requests: shapes and limits of the service's model, and the rules in
//! its documentation.

use serde_json::{Map, Value};

use super::error::ApiError;
use crate::lexer::{TokenKind, statements, tokens};
use crate::options::DataApiOptions;
use crate::rewrite::apply;

/// Limit of a statement (MG/data-api.html).
const MAX_STATEMENT_BYTES: usize = 100 << 10;
/// Limit of the number of statements in a batch.
const MAX_BATCH_STATEMENTS: usize = 40;

/// Members of a request body.
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Parses a body, which must be an object with no other members than `known`.
    pub(crate) fn parse(body: &[u8], known: &[&str]) -> Result<Self, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => {
                match members.keys().find(|name| !known.contains(&name.as_str())) {
                    Some(name) => {
                        Err(ApiError::invalid(format!("Unknown parameter in input: \"{name}\"")))
                    }
                    None => Ok(Self(members)),
                }
            }
            _ => Err(ApiError::new("SerializationException", "the body is not a JSON object")),
        }
    }

    /// Returns a string member.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => {
                Err(ApiError::new("SerializationException", format!("{name} is not a string")))
            }
        }
    }

    /// Returns a required string member.
    pub(crate) fn required(&self, name: &str) -> Result<String, ApiError> {
        self.text(name)?.ok_or_else(|| {
            ApiError::invalid(format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"))
        })
    }

    /// Returns an integer member between `min` and `max`.
    pub(crate) fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().filter(|number| (min..=max).contains(number)) {
                Some(number) => Ok(Some(number)),
                None => Err(ApiError::invalid(format!(
                    "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: \
                     Member must have value between {min} and {max}"
                ))),
            },
        }
    }
}

/// Members of `ExecuteStatement` and `BatchExecuteStatement`.
pub(crate) const EXECUTE: &[&str] = &[
    "Sql",
    "Sqls",
    "ClusterIdentifier",
    "WorkgroupName",
    "SecretArn",
    "DbUser",
    "Database",
    "WithEvent",
    "StatementName",
    "Parameters",
    "ClientToken",
    "ResultFormat",
    "SessionKeepAliveSeconds",
    "SessionId",
    "WaitTimeSeconds",
    "ExecutionMode",
];

/// Request of `ExecuteStatement` or `BatchExecuteStatement`.
#[derive(Clone, Debug)]
pub(crate) struct ExecuteRequest {
    /// Statements as the client sent them.
    pub(crate) texts: Vec<String>,
    /// Statements with their parameters substituted.
    pub(crate) statements: Vec<String>,
    pub(crate) batch: bool,
    pub(crate) auto_commit: bool,
    pub(crate) cluster: Option<String>,
    pub(crate) workgroup: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) keep_alive: Option<u64>,
    pub(crate) wait: Option<u64>,
}

impl ExecuteRequest {
    /// Parses and validates a request body.
    pub(crate) fn parse(
        body: &[u8],
        batch: bool,
        options: &DataApiOptions,
    ) -> Result<Self, ApiError> {
        let other: &[&str] = if batch { &["Sql"] } else { &["Sqls", "ExecutionMode"] };
        let known: Vec<&str> =
            EXECUTE.iter().copied().filter(|name| !other.contains(name)).collect();
        let members = Members::parse(body, &known)?;
        let texts = if batch { batch_texts(&members)? } else { vec![members.required("Sql")?] };
        texts.iter().try_for_each(|text| check_text(text))?;
        let mode = members.text("ExecutionMode")?;
        if mode.as_deref().is_some_and(|mode| !["TRANSACTION", "AUTO_COMMIT"].contains(&mode)) {
            return Err(ApiError::invalid("ExecutionMode must be TRANSACTION or AUTO_COMMIT"));
        }
        if members.text("ResultFormat")?.is_some_and(|format| format != "JSON") {
            return Err(ApiError::invalid("ResultFormat CSV is not supported by the emulator"));
        }
        let request = Self {
            statements: substitute(&texts, &parameters(&members)?)?,
            texts,
            batch,
            auto_commit: mode.as_deref() == Some("AUTO_COMMIT"),
            cluster: members.text("ClusterIdentifier")?,
            workgroup: members.text("WorkgroupName")?,
            database: members.text("Database")?,
            user: members.text("DbUser")?,
            secret: members.text("SecretArn")?,
            token: members.text("ClientToken")?,
            session: members.text("SessionId")?,
            keep_alive: members.number("SessionKeepAliveSeconds", 0, 86_400)?,
            wait: members.number("WaitTimeSeconds", 1, 30)?,
        };
        if request.token.as_ref().is_some_and(|token| !(1..=64).contains(&token.len())) {
            return Err(ApiError::invalid("ClientToken must have 1 to 64 characters"));
        }
        request.check_connection(options)?;
        Ok(request)
    }

    /// Validates session, cluster or workgroup, database and credentials.
    fn check_connection(&self, options: &DataApiOptions) -> Result<(), ApiError> {
        if self.session.is_some() {
            let also = [&self.cluster, &self.workgroup, &self.database, &self.user, &self.secret];
            if also.iter().any(|member| member.is_some()) {
                return Err(ApiError::invalid(
                    "SessionId cannot be combined with ClusterIdentifier, WorkgroupName, Database, DbUser or SecretArn",
                ));
            }
            return Ok(());
        }
        match (&self.cluster, &self.workgroup) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "ClusterIdentifier and WorkgroupName cannot be combined",
                ));
            }
            (None, None) => {
                return Err(ApiError::invalid(
                    "either ClusterIdentifier or WorkgroupName is required",
                ));
            }
            (Some(cluster), None) if *cluster != options.cluster => {
                return Err(ApiError::invalid("Redshift endpoint doesn't exist in this region."));
            }
            (None, Some(workgroup)) if *workgroup != options.workgroup => {
                return Err(ApiError::not_found(format!("Workgroup {workgroup} not found.")));
            }
            _ => {}
        }
        if self.database.is_none() {
            return Err(ApiError::invalid("Database is required"));
        }
        if self.user.is_some() && self.secret.is_some() {
            return Err(ApiError::invalid("DbUser and SecretArn cannot be combined"));
        }
        if self.user.is_some() && self.workgroup.is_some() {
            return Err(ApiError::invalid("DbUser cannot be combined with WorkgroupName"));
        }
        match &self.secret {
            Some(secret) if *secret != options.secret_arn => {
                Err(ApiError::invalid("Secrets Manager can't find the specified secret."))
            }
            _ => Ok(()),
        }
    }
}

fn batch_texts(members: &Members) -> Result<Vec<String>, ApiError> {
    let Some(Value::Array(list)) = members.0.get("Sqls") else {
        return Err(ApiError::invalid("Sqls is required"));
    };
    if !(1..=MAX_BATCH_STATEMENTS).contains(&list.len()) {
        let message = format!("Sqls must have 1 to {MAX_BATCH_STATEMENTS} members");
        return Err(ApiError::invalid(message));
    }
    let texts: Option<Vec<_>> = list.iter().map(|text| text.as_str().map(str::to_owned)).collect();
    texts.ok_or_else(|| ApiError::new("SerializationException", "Sqls is not a list of strings"))
}

/// Validates the size of a text, which must contain exactly one statement.
fn check_text(text: &str) -> Result<(), ApiError> {
    if text.len() > MAX_STATEMENT_BYTES {
        return Err(ApiError::invalid("Cannot process query string larger than 100kB"));
    }
    match statements(text).len() {
        0 => Err(ApiError::invalid("the SQL text has no statement")),
        1 => Ok(()),
        _ => Err(ApiError::invalid("the SQL text has more than one statement")),
    }
}

fn parameters(members: &Members) -> Result<Vec<(String, String)>, ApiError> {
    let Some(value) = members.0.get("Parameters") else { return Ok(Vec::new()) };
    let invalid = || ApiError::invalid("Parameters must be a list of objects with name and value");
    let list = value.as_array().filter(|list| !list.is_empty()).ok_or_else(invalid)?;
    list.iter()
        .map(|parameter| {
            let member =
                |name: &str| parameter.get(name).and_then(Value::as_str).map(str::to_owned);
            Some((member("name")?, member("value").filter(|value| !value.is_empty())?))
        })
        .collect::<Option<_>>()
        .ok_or_else(invalid)
}

/// Replaces each `:name` with the parameter's value as a string literal.
fn substitute(texts: &[String], parameters: &[(String, String)]) -> Result<Vec<String>, ApiError> {
    let mut unused: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let mut statements = Vec::new();
    for text in texts {
        let tokens = tokens(text);
        let mut edits = Vec::new();
        for pair in tokens.windows(2) {
            if !(pair[0].is(":")
                && pair[1].kind == TokenKind::Word
                && pair[0].end() == pair[1].start)
            {
                continue;
            }
            let found = parameters.iter().find(|(name, _)| name == pair[1].text);
            let (name, value) = found.ok_or_else(|| {
                ApiError::invalid(format!("Cannot find parameter: {}", pair[1].text))
            })?;
            unused.retain(|other| other != name);
            edits.push((pair[0].start, pair[1].end(), crate::backend::literal(value)));
        }
        statements.push(apply(text, edits));
    }
    if unused.is_empty() {
        return Ok(statements);
    }
    let names = unused.join(", ");
    Err(ApiError::invalid(format!(
        "Parameters list contains unused parameters. Unused parameters: [{names}]"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// boto3 cannot send unknown members, so `tests/it/data_api.py` does not cover this.
    #[test]
    fn unknown_members_are_rejected() {
        let options = DataApiOptions::default();
        let body = br#"{"Sql": "select 1", "ClusterIdentifier": "emulator", "Database": "dev"}"#;
        assert!(ExecuteRequest::parse(body, false, &options).is_ok());
        let more = br#"{"Sql": "select 1", "ClusterIdentifier": "emulator", "Database": "dev", "Limit": 1}"#;
        let error = ExecuteRequest::parse(more, false, &options).unwrap_err();
        assert!(
            format!("{error:?}").contains("Unknown parameter in input: \\\"Limit\\\""),
            "{error:?}"
        );
        assert!(ExecuteRequest::parse(b"[]", false, &options).is_err());
    }
}
