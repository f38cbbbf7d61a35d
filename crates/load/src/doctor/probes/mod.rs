//! Compatibility probes: statements with documented results, whose actual results are compared.
//!
//! All probes run in a transaction that is rolled back. An error ends a transaction, and not every
//! engine has savepoints, so the transaction is rolled back and a new one begun after a probe that
//! failed or created something. Files that a probe needs are uploaded before, and removed in any
//! case.

mod copies;
mod file;
mod report;

use super::evidence::EvidenceTemplates;
use super::{Finding, Status, finding_of_error};
use crate::sql::doctor as sql;
pub(super) use copies::{CopyEvidence, CopyTemplates, run as copies};
use file::{Form, Probe, ProbeFile};
pub use report::{Node, ProbeResult};
use report::{NodeResult, TextRows};
use sparkify_warehouse::{UploadedFiles, Value, Warehouse, WarehouseError};

/// Actual result of one form of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Actual {
    /// Column types and rows of the statement.
    Rows(String, Vec<String>),
    /// Error message of the statement, and the rows of `after_error`.
    Error(String, Option<Vec<String>>),
    /// Error message of the setup or of `after_error`.
    SetupError(String),
}

/// Results of all probes that ran.
#[derive(Debug, Default)]
pub struct Probed {
    /// Results in the order of the file.
    pub results: Vec<ProbeResult>,
    /// Errors that are not results of a probe.
    pub(super) errors: Vec<Finding>,
    /// Number of probes that need files in S3, where none can be uploaded.
    skipped: usize,
    /// True if the probes ended early.
    is_incomplete: bool,
}

impl Probed {
    /// Returns a summary and one finding for each difference.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.errors.clone();
        if self.is_incomplete || (self.results.is_empty() && self.skipped == 0) {
            return findings;
        }
        let differences: Vec<Finding> =
            self.results.iter().filter_map(ProbeResult::difference).collect();
        findings.push(self.summary(&differences));
        findings.extend(differences);
        findings
    }

    fn summary(&self, differences: &[Finding]) -> Finding {
        let (tried, skipped) = (self.results.len(), self.skipped);
        let both = self.results.iter().filter(|result| result.has_both_nodes()).count();
        let equal = tried - differences.len();
        let message = format!(
            "{equal} of {tried} results are as documented; {both} probes ran on leader and compute nodes"
        );
        let hint = (skipped > 0).then(|| {
            format!(
                "{skipped} more need files in S3: set `[S3] STAGING` and an IAM role to run them"
            )
        });
        let status = match differences.iter().any(|finding| finding.status == Status::Failed) {
            true => Status::Failed,
            false if differences.is_empty() && skipped == 0 => Status::Ok,
            false => Status::Hint,
        };
        Finding { check: "probes".into(), status, message, hint }
    }
}

/// Runs all probes of the engine; none on an engine without any.
pub fn run(warehouse: &mut dyn Warehouse) -> Probed {
    match read_file(warehouse) {
        Ok(Some(file)) => run_all(warehouse, &file),
        Ok(None) => Probed::default(),
        Err(message) => Probed {
            errors: vec![Finding::failed("probes", message, None)],
            is_incomplete: true,
            ..Probed::default()
        },
    }
}

/// Returns the statements that only the evidence file needs.
pub(super) fn evidence_templates(
    warehouse: &mut dyn Warehouse,
) -> Result<Option<EvidenceTemplates>, String> {
    read_file(warehouse).map(|file| file.map(|file| file.evidence))
}

/// Reads the file of probes, if the engine has one.
fn read_file(warehouse: &mut dyn Warehouse) -> Result<Option<ProbeFile>, String> {
    let text = warehouse.remote_copy().map(|remote| remote.probes());
    let file = text.map(toml::from_str).transpose();
    file.map_err(|error| format!("the file of probes cannot be read: {error}"))
}

fn run_all(warehouse: &mut dyn Warehouse, file: &ProbeFile) -> Probed {
    let mut probed = Probed::default();
    let uploaded = match upload(warehouse, &file.probes) {
        Ok(uploaded) => uploaded,
        Err(error) => {
            probed.errors.push(finding_of_error("staging", &error));
            None
        }
    };
    let mut transaction = Transaction::new(warehouse);
    for (number, probe) in file.probes.iter().enumerate() {
        if !probe.files.is_empty() && uploaded.is_none() {
            probed.skipped += 1;
            continue;
        }
        let parameters = uploaded.as_ref().map_or(Vec::new(), |files| parameters(files, number));
        let forms = probe.forms(number, &file.forms);
        let ran = forms.iter().map(|form| {
            let actual = transaction.run(probe, form, &parameters)?;
            Ok(NodeResult { node: form.node, actual })
        });
        match ran.collect::<Result<Vec<_>, WarehouseError>>() {
            Ok(actual) => {
                probed.results.push(ProbeResult::new(probe, &forms, &actual, &parameters));
            }
            Err(error) => {
                probed.errors.push(finding_of_error("probes", &error));
                probed.is_incomplete = true;
                return probed;
            }
        }
    }
    if let Err(error) = transaction.end() {
        probed.errors.push(finding_of_error("probes", &error));
    }
    probed
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

impl<'a> Transaction<'a> {
    fn new(warehouse: &'a mut dyn Warehouse) -> Self {
        Self { warehouse, is_open: false, is_spent: false, is_installed: false }
    }

    /// Runs a probe, and once more after a conflict with another session.
    fn run(
        &mut self,
        probe: &Probe,
        form: &Form,
        parameters: &[Value],
    ) -> Result<Actual, WarehouseError> {
        match self.run_once(probe, form, parameters) {
            Err(WarehouseError::Conflict { .. }) => self.run_once(probe, form, parameters),
            other => other,
        }
    }

    /// Returns an error of a statement as the result of the probe. Any other error, such as a lost
    /// connection, ends all probes.
    fn run_once(
        &mut self,
        probe: &Probe,
        form: &Form,
        parameters: &[Value],
    ) -> Result<Actual, WarehouseError> {
        self.begin()?;
        if let Err(message) = statement_error(self.set_up(probe, form, parameters))? {
            return Ok(Actual::SetupError(message));
        }
        match statement_error(self.query(&form.statement, parameters))? {
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

    fn set_up(
        &mut self,
        probe: &Probe,
        form: &Form,
        parameters: &[Value],
    ) -> Result<(), WarehouseError> {
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
        // Each of these tables has a name of its own, so the transaction can go on.
        for statement in &form.table {
            self.query(statement, parameters)?;
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
