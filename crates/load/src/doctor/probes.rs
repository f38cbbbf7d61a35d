//! Compatibility probes: statements with documented results, whose actual results are compared.
//!
//! All probes run in a transaction that is rolled back. An error ends a transaction, and not every
//! engine has savepoints, so the transaction is rolled back and a new one begun after a probe that
//! failed or created something. Files that a probe needs are uploaded before, and removed in any
//! case.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Finding, Status, finding_of_error};
use crate::sql::doctor as sql;
use sparkify_warehouse::{ResultType, RowSink, UploadedFiles, Value, Warehouse, WarehouseError};

/// Probes of one engine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbeFile {
    #[serde(rename = "probe")]
    probes: Vec<Probe>,
}

/// One probe. The header of the file describes the keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    name: String,
    page: String,
    #[serde(rename = "rests")]
    dependents: Option<String>,
    assumed: Option<String>,
    #[serde(default, rename = "ours")]
    needs_install: bool,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default, rename = "first")]
    setup: Vec<String>,
    #[serde(rename = "ask")]
    statement: String,
    types: Option<String>,
    #[serde(default, rename = "answer")]
    rows: Vec<String>,
    #[serde(rename = "fails")]
    error: Option<String>,
    #[serde(rename = "then")]
    after_error: Option<String>,
}

/// Actual result of a probe.
enum Actual {
    /// Column types and rows of the statement.
    Rows(String, Vec<String>),
    /// Error message of the statement, and the rows of `after_error`.
    Error(String, Option<Vec<String>>),
    /// Error message of the setup or of `after_error`.
    SetupError(String),
}

/// Runs all probes. Returns a summary and one finding for each difference.
pub fn run(warehouse: &mut dyn Warehouse) -> Vec<Finding> {
    let Some(text) = warehouse.remote_copy().map(|remote| remote.probes()) else {
        return Vec::new();
    };
    match toml::from_str::<ProbeFile>(text) {
        Ok(file) => run_all(warehouse, &file.probes),
        Err(error) => vec![Finding::failed("probes", format!("cannot be read: {error}"), None)],
    }
}

fn run_all(warehouse: &mut dyn Warehouse, probes: &[Probe]) -> Vec<Finding> {
    let (uploaded, mut findings) = match upload(warehouse, probes) {
        Ok(uploaded) => (uploaded, Vec::new()),
        Err(error) => (None, vec![finding_of_error("staging", &error)]),
    };
    let mut transaction =
        Transaction { warehouse, is_open: false, is_spent: false, is_installed: false };
    let (mut tried, mut differences) = (0, Vec::new());
    for (number, probe) in probes.iter().enumerate() {
        if !probe.files.is_empty() && uploaded.is_none() {
            continue;
        }
        let parameters = uploaded.as_ref().map_or(Vec::new(), |files| parameters(files, number));
        tried += 1;
        match transaction.run(probe, &parameters) {
            Ok(actual) => differences.extend(difference(probe, &actual, &parameters)),
            Err(error) => {
                findings.push(finding_of_error("probes", &error));
                return findings;
            }
        }
    }
    if let Err(error) = transaction.end() {
        findings.push(finding_of_error("probes", &error));
    }
    findings.push(summary(tried, probes.len() - tried, &differences));
    findings.extend(differences);
    findings
}

fn summary(tried: usize, skipped: usize, differences: &[Finding]) -> Finding {
    let equal = tried - differences.len();
    let message = format!("{equal} of {tried} results are as documented");
    let hint = (skipped > 0).then(|| {
        format!("{skipped} more need files in S3: set `[S3] STAGING` and an IAM role to run them")
    });
    let status = match differences.iter().any(|finding| finding.status == Status::Failed) {
        true => Status::Failed,
        false if differences.is_empty() && skipped == 0 => Status::Ok,
        false => Status::Hint,
    };
    Finding { check: "probes".into(), status, message, hint }
}

/// Uploads the files of all probes, those of each probe to a folder of its own.
fn upload(
    warehouse: &mut dyn Warehouse,
    probes: &[Probe],
) -> Result<Option<UploadedFiles>, WarehouseError> {
    let numbered = probes.iter().enumerate();
    let files: Vec<(String, &str)> = numbered
        .flat_map(|(number, probe)| {
            let files = probe.files.iter();
            files.map(move |(name, text)| (format!("{number}/{name}"), text.as_str()))
        })
        .collect();
    match warehouse.remote_copy() {
        Some(remote) if !files.is_empty() => remote.upload(&files),
        _ => Ok(None),
    }
}

fn parameters(files: &UploadedFiles, number: usize) -> Vec<Value> {
    let UploadedFiles { folder, role, region, .. } = files;
    let [data, paths] = ["data/", "paths.json"].map(|name| format!("{folder}/{number}/{name}"));
    [data, role.clone(), region.clone(), paths].map(Value::Text).into()
}

/// Transaction that the probes run in.
struct Transaction<'a> {
    warehouse: &'a mut dyn Warehouse,
    is_open: bool,
    /// True if the next probe needs a new transaction.
    is_spent: bool,
    /// True if sparkify's UDFs are installed in this transaction.
    is_installed: bool,
}

impl Transaction<'_> {
    /// Runs a probe, and once more after a conflict with another session.
    fn run(&mut self, probe: &Probe, parameters: &[Value]) -> Result<Actual, WarehouseError> {
        match self.run_once(probe, parameters) {
            Err(WarehouseError::Conflict { .. }) => self.run_once(probe, parameters),
            other => other,
        }
    }

    /// Returns an error of a statement as the result of the probe. Any other error, such as a lost
    /// connection, ends all probes.
    fn run_once(&mut self, probe: &Probe, parameters: &[Value]) -> Result<Actual, WarehouseError> {
        self.begin()?;
        if let Err(message) = statement_error(self.set_up(probe, parameters))? {
            return Ok(Actual::SetupError(message));
        }
        match statement_error(self.query(&probe.statement, parameters))? {
            Ok((types, rows)) => Ok(Actual::Rows(types, rows)),
            Err(message) => {
                let Some(after) = &probe.after_error else {
                    return Ok(Actual::Error(message, None));
                };
                self.begin()?;
                Ok(match statement_error(self.query(after, parameters))? {
                    Ok((_, rows)) => Actual::Error(message, Some(rows)),
                    Err(message) => Actual::SetupError(message),
                })
            }
        }
    }

    /// Makes sure that a transaction is open and unspent.
    fn begin(&mut self) -> Result<(), WarehouseError> {
        if self.is_spent {
            self.end()?;
        }
        if !self.is_open {
            self.warehouse.run(&sql::PROBE_BEGIN)?;
            (self.is_open, self.is_installed) = (true, false);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), WarehouseError> {
        (self.is_open, self.is_spent) = (false, false);
        self.warehouse.run(&sql::PROBE_UNDO)
    }

    fn set_up(&mut self, probe: &Probe, parameters: &[Value]) -> Result<(), WarehouseError> {
        if probe.needs_install && !self.is_installed {
            // If the installation fails, the transaction is unusable.
            self.is_spent = true;
            self.warehouse.install(false)?;
            (self.is_spent, self.is_installed) = (false, true);
        }
        for statement in &probe.setup {
            self.query(statement, parameters)?;
            self.is_spent = true;
        }
        Ok(())
    }

    fn query(
        &mut self,
        statement: &str,
        parameters: &[Value],
    ) -> Result<(String, Vec<String>), WarehouseError> {
        let mut rows = TextRows::default();
        let outcome = self.warehouse.query_each(statement, parameters, &mut rows);
        self.is_spent |= outcome.is_err();
        outcome.map(|()| (rows.types, rows.rows))
    }
}

/// Separates an error of the statement, as its message, from errors that concern the connection.
fn statement_error<T>(
    outcome: Result<T, WarehouseError>,
) -> Result<Result<T, String>, WarehouseError> {
    match outcome {
        Ok(done) => Ok(Ok(done)),
        Err(error @ (WarehouseError::Statement { .. } | WarehouseError::Full { .. })) => {
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// Result as text, in the format of the probe file.
#[derive(Default)]
struct TextRows {
    types: String,
    rows: Vec<String>,
}

impl RowSink for TextRows {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.types = types.iter().map(|kind| type_name(*kind)).collect::<Vec<_>>().join(" ");
        Ok(())
    }

    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let cells = row.iter().map(|value| match value {
            Value::Null => "∅".into(),
            value => value.to_string(),
        });
        self.rows.push(cells.collect::<Vec<String>>().join("|"));
        Ok(())
    }
}

fn type_name(kind: ResultType) -> &'static str {
    match kind {
        ResultType::Boolean => "boolean",
        ResultType::Integer => "integer",
        ResultType::BigInt => "bigint",
        ResultType::Decimal(..) => "decimal",
        ResultType::Double => "double",
        ResultType::Date => "date",
        ResultType::Timestamp => "timestamp",
        ResultType::Bytes => "bytes",
        ResultType::Text => "text",
    }
}

/// Returns a finding if the result differs from the documented one.
fn difference(probe: &Probe, actual: &Actual, parameters: &[Value]) -> Option<Finding> {
    if is_as_documented(probe, actual) {
        return None;
    }
    let status = if probe.dependents.is_some() { Status::Failed } else { Status::Hint };
    let (expected, got) = (describe_expected(probe), describe_actual(probe, actual));
    let message = format!("{}: expected {expected}, got {got}", probe.name);
    let hint = Some(notes(probe, parameters));
    Some(Finding { check: "probe".into(), status, message, hint })
}

fn is_as_documented(probe: &Probe, actual: &Actual) -> bool {
    match (actual, &probe.error) {
        (Actual::Rows(types, rows), None) => {
            *rows == probe.rows && probe.types.as_ref().is_none_or(|expected| expected == types)
        }
        (Actual::Error(message, after), Some(part)) => {
            message.to_lowercase().contains(&part.to_lowercase())
                && after.as_ref().is_none_or(|rows| *rows == probe.rows)
        }
        _ => false,
    }
}

fn describe_expected(probe: &Probe) -> String {
    let Some(message) = &probe.error else {
        return describe_rows(&probe.rows, probe.types.as_deref());
    };
    let message = if message.is_empty() { String::new() } else { format!(" with “{message}”") };
    let after = probe.after_error.as_ref().map(|_| probe.rows.as_slice());
    format!("an error{message}{}", describe_after(after))
}

fn describe_actual(probe: &Probe, actual: &Actual) -> String {
    match actual {
        // Types are shown only if the probe compares them.
        Actual::Rows(types, rows) => {
            describe_rows(rows, probe.types.as_ref().map(|_| types.as_str()))
        }
        Actual::Error(message, after) => {
            format!("the error “{}”{}", one_line(message), describe_after(after.as_deref()))
        }
        Actual::SetupError(message) => format!("the error “{}”", one_line(message)),
    }
}

fn describe_rows(rows: &[String], types: Option<&str>) -> String {
    let rows = if rows.is_empty() { "no rows".into() } else { format!("`{}`", rows.join("`, `")) };
    match types {
        Some(types) => format!("{rows} ({types})"),
        None => rows,
    }
}

fn describe_after(rows: Option<&[String]>) -> String {
    rows.map_or(String::new(), |rows| format!(", then {}", describe_rows(rows, None)))
}

/// Returns the statements that were sent, the dependent features and the page of the documentation.
fn notes(probe: &Probe, parameters: &[Value]) -> String {
    let all = probe.setup.iter().chain([&probe.statement]).chain(&probe.after_error);
    let mut sent = all.map(String::as_str).collect::<Vec<_>>().join("; ");
    for (index, value) in (1..).zip(parameters) {
        sent = sent.replace(&format!("${index}"), &format!("'{value}'"));
    }
    let mut notes = vec![format!("sent: {sent}")];
    notes.extend(probe.dependents.iter().map(|features| format!("affects: {features}")));
    notes.extend(probe.assumed.iter().map(|assumed| format!("assumed: {assumed}")));
    notes.push(probe.page.clone());
    notes.join("; ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
