//! What a request asks for, and whether it may be asked so: the shapes and limits of the service's model, and the rules of its prose.

use serde_json::{Map, Value};

use super::problem::Problem;
use crate::lexer::{Kind, statements, tokens};
use crate::options::DataApi;
use crate::rewrite::apply;

/// MG/data-api.html: the longest statement.
const STATEMENT: usize = 100 << 10;
/// The most statements of a batch.
const BATCH: usize = 40;

/// The members of a request's body, looked at one by one: what nobody asked for is unknown.
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Read from a body, which must be an object with these members alone.
    pub(crate) fn read(body: &[u8], known: &[&str]) -> Result<Self, Problem> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => {
                match members.keys().find(|name| !known.contains(&name.as_str())) {
                    Some(name) => {
                        Err(Problem::invalid(format!("Unknown parameter in input: \"{name}\"")))
                    }
                    None => Ok(Self(members)),
                }
            }
            _ => Err(Problem::new("SerializationException", "the body is not a JSON object")),
        }
    }

    /// A string.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => {
                Err(Problem::new("SerializationException", format!("{name} is not a string")))
            }
        }
    }

    /// A string that must be there.
    pub(crate) fn needed(&self, name: &str) -> Result<String, Problem> {
        self.text(name)?.ok_or_else(|| {
            Problem::invalid(format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"))
        })
    }

    /// A whole number in its range.
    pub(crate) fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().filter(|number| (least..=most).contains(number)) {
                Some(number) => Ok(Some(number)),
                None => Err(Problem::invalid(format!(
                    "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: \
                     Member must have value between {least} and {most}"
                ))),
            },
        }
    }
}

/// What the two operations that execute have in common.
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

/// A request to execute.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    /// As they were sent.
    pub(crate) texts: Vec<String>,
    /// With their parameters.
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

impl Execution {
    /// Reads and checks one.
    pub(crate) fn read(body: &[u8], batch: bool, options: &DataApi) -> Result<Self, Problem> {
        let other: &[&str] = if batch { &["Sql"] } else { &["Sqls", "ExecutionMode"] };
        let known: Vec<&str> =
            EXECUTE.iter().copied().filter(|name| !other.contains(name)).collect();
        let members = Members::read(body, &known)?;
        let texts = if batch { batched(&members)? } else { vec![members.needed("Sql")?] };
        texts.iter().try_for_each(|text| single(text))?;
        let mode = members.text("ExecutionMode")?;
        if mode.as_deref().is_some_and(|mode| !["TRANSACTION", "AUTO_COMMIT"].contains(&mode)) {
            return Err(Problem::invalid("ExecutionMode is neither TRANSACTION nor AUTO_COMMIT"));
        }
        if members.text("ResultFormat")?.is_some_and(|format| format != "JSON") {
            return Err(Problem::invalid("ResultFormat CSV is not played by the emulator"));
        }
        let execution = Self {
            statements: filled(&texts, &parameters(&members)?)?,
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
        if execution.token.as_ref().is_some_and(|token| !(1..=64).contains(&token.len())) {
            return Err(Problem::invalid("ClientToken has at least 1 and at most 64 characters"));
        }
        execution.check_place(options)?;
        Ok(execution)
    }

    /// Where it is to run: a session, or one of cluster and workgroup, with a database and a way to authenticate.
    fn check_place(&self, options: &DataApi) -> Result<(), Problem> {
        if self.session.is_some() {
            let also = [&self.cluster, &self.workgroup, &self.database, &self.user, &self.secret];
            if also.iter().any(|member| member.is_some()) {
                return Err(Problem::invalid(
                    "SessionId can't be given together with ClusterIdentifier, WorkgroupName, Database, DbUser or SecretArn",
                ));
            }
            return Ok(());
        }
        match (&self.cluster, &self.workgroup) {
            (Some(_), Some(_)) => {
                return Err(Problem::invalid(
                    "ClusterIdentifier and WorkgroupName can't both be given",
                ));
            }
            (None, None) => {
                return Err(Problem::invalid(
                    "one of ClusterIdentifier and WorkgroupName is needed",
                ));
            }
            (Some(cluster), None) if *cluster != options.cluster => {
                return Err(Problem::invalid("Redshift endpoint doesn't exist in this region."));
            }
            (None, Some(workgroup)) if *workgroup != options.workgroup => {
                return Err(Problem::missing(format!("Workgroup {workgroup} not found.")));
            }
            _ => {}
        }
        if self.database.is_none() {
            return Err(Problem::invalid("Database is needed"));
        }
        if self.user.is_some() && self.secret.is_some() {
            return Err(Problem::invalid("DbUser and SecretArn can't both be given"));
        }
        if self.user.is_some() && self.workgroup.is_some() {
            return Err(Problem::invalid("DbUser is for a cluster, not for a workgroup"));
        }
        match &self.secret {
            Some(secret) if *secret != options.secret_arn => {
                Err(Problem::invalid("Secrets Manager can't find the specified secret."))
            }
            _ => Ok(()),
        }
    }
}

fn batched(members: &Members) -> Result<Vec<String>, Problem> {
    let Some(Value::Array(list)) = members.0.get("Sqls") else {
        return Err(Problem::invalid("Sqls is needed"));
    };
    if !(1..=BATCH).contains(&list.len()) {
        return Err(Problem::invalid(format!("Sqls has at least 1 and at most {BATCH} members")));
    }
    let texts: Option<Vec<_>> = list.iter().map(|text| text.as_str().map(str::to_owned)).collect();
    texts.ok_or_else(|| Problem::new("SerializationException", "Sqls is not a list of strings"))
}

fn single(text: &str) -> Result<(), Problem> {
    if text.len() > STATEMENT {
        return Err(Problem::invalid("Cannot process query string larger than 100kB"));
    }
    match statements(text).len() {
        0 => Err(Problem::invalid("a statement is needed")),
        1 => Ok(()),
        _ => Err(Problem::invalid("a text holds one SQL statement alone")),
    }
}

fn parameters(members: &Members) -> Result<Vec<(String, String)>, Problem> {
    let Some(value) = members.0.get("Parameters") else { return Ok(Vec::new()) };
    let bad = || Problem::invalid("Parameters is a list of objects with name and value");
    let list = value.as_array().filter(|list| !list.is_empty()).ok_or_else(bad)?;
    list.iter()
        .map(|parameter| {
            let member =
                |name: &str| parameter.get(name).and_then(Value::as_str).map(str::to_owned);
            Some((member("name")?, member("value").filter(|value| !value.is_empty())?))
        })
        .collect::<Option<_>>()
        .ok_or_else(bad)
}

/// The statements with `:name` filled in as strings.
fn filled(texts: &[String], parameters: &[(String, String)]) -> Result<Vec<String>, Problem> {
    let mut unused: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let mut filled = Vec::new();
    for text in texts {
        let tokens = tokens(text);
        let mut edits = Vec::new();
        for pair in tokens.windows(2) {
            if !(pair[0].is(":") && pair[1].kind == Kind::Word && pair[0].end() == pair[1].start) {
                continue;
            }
            let found = parameters.iter().find(|(name, _)| name == pair[1].text);
            let (name, value) = found.ok_or_else(|| {
                Problem::invalid(format!("Cannot find parameter: {}", pair[1].text))
            })?;
            unused.retain(|other| other != name);
            edits.push((pair[0].start, pair[1].end(), crate::backend::literal(value)));
        }
        filled.push(apply(text, edits));
    }
    if unused.is_empty() {
        return Ok(filled);
    }
    let names = unused.join(", ");
    Err(Problem::invalid(format!(
        "Parameters list contains unused parameters. Unused parameters: [{names}]"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// boto3 sends no member that it does not know, so this is asked here.
    #[test]
    fn a_member_that_is_unknown_is_named() {
        let options = DataApi::default();
        let body = br#"{"Sql": "select 1", "ClusterIdentifier": "emulator", "Database": "dev"}"#;
        assert!(Execution::read(body, false, &options).is_ok());
        let more = br#"{"Sql": "select 1", "ClusterIdentifier": "emulator", "Database": "dev", "Limit": 1}"#;
        let problem = Execution::read(more, false, &options).unwrap_err();
        assert!(
            format!("{problem:?}").contains("Unknown parameter in input: \\\"Limit\\\""),
            "{problem:?}"
        );
        assert!(Execution::read(b"[]", false, &options).is_err());
    }
}
