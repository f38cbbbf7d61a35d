//! Preflight checks of a load: lists and reads the source, connects to the warehouse step by step,
//! creates a table and rolls that back, compares the engine with its documentation ([`probes`]),
//! explains the statements of a load ([`plans`]), and measures free disk space. Nothing is changed.
//!
//! This module depends on no engine and reads no loaded data. The `cluster` crate checks AWS; the
//! CLI joins both lists.

mod evidence;
pub mod plans;
pub mod probes;

use std::path::Path;

use serde::Serialize;

use crate::sql::doctor as sql;
use plans::{Explained, StatementPlan};
use probes::Probed;
use sparkify_config::Settings;
use sparkify_source::{Content, Listing, SourceError, Sources};
use sparkify_warehouse::{Access, ConnectionStep, Connector, Rows, Warehouse, WarehouseError};

/// Minimum free disk space of any load.
const MIN_FREE_SPACE: u64 = 256 << 20;

/// Status of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The check passed.
    Ok,
    /// The check failed; a load would fail.
    Failed,
    /// The check passed or was not possible; the hint says more.
    Hint,
    /// The check did not run because an earlier one failed.
    #[serde(rename = "not tried")]
    NotTried,
}

/// Result of one check. The JSON keys are part of the output of `sparkify doctor`.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Name of the check.
    #[serde(rename = "what")]
    pub check: String,
    /// Status of the check.
    #[serde(rename = "state")]
    pub status: Status,
    /// Observation, or the error.
    #[serde(rename = "said")]
    pub message: String,
    /// Next action, or further information.
    pub hint: Option<String>,
}

impl Finding {
    /// Creates the finding of a check that passed.
    pub fn ok(check: &str, message: impl Into<String>) -> Self {
        Self { check: check.into(), status: Status::Ok, message: message.into(), hint: None }
    }

    /// Creates the finding of a check that failed.
    pub fn failed(check: &str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self { check: check.into(), status: Status::Failed, message: message.into(), hint }
    }

    /// Creates a finding with further information.
    pub fn hint(check: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), Some(hint.into()));
        Self { check: check.into(), status: Status::Hint, message, hint }
    }

    /// Creates the finding of a check that did not run.
    fn not_tried(check: &str) -> Self {
        let message = "an earlier check failed".into();
        Self { check: check.into(), status: Status::NotTried, message, hint: None }
    }
}

/// Checks that run only on request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checks {
    /// Run the compatibility probes.
    pub probes: bool,
    /// Explain the statements of an incremental load.
    pub plans: bool,
    /// Collect the content of an evidence file, which has the results of probes and plans too.
    pub evidence: bool,
}

/// Results of all checks.
#[derive(Debug, Default)]
pub struct Examined {
    /// Findings in the order of the checks.
    pub findings: Vec<Finding>,
    /// Plans of the statements of an incremental load.
    pub plans: Vec<StatementPlan>,
    /// Content of an evidence file, without private parts; none if the warehouse cannot be opened.
    pub evidence: Option<serde_json::Value>,
}

/// Runs all checks that need no AWS service except S3.
pub fn examine(settings: &Settings, connector: &dyn Connector, checks: Checks) -> Examined {
    let sources = Sources::new(&settings.s3);
    let mut examined = Examined::default();
    let findings = &mut examined.findings;
    let mut bytes = 0;
    for (check, location) in [("song data", &settings.song_data), ("log data", &settings.log_data)]
    {
        let Some(location) = location else {
            findings.push(Finding::hint(
                check,
                "no location is configured",
                format!("set it with `--{}`, or in [S3] of dwh.cfg", check.replace(' ', "-")),
            ));
            continue;
        };
        match list_and_read(&sources, location) {
            Ok((listing, read)) => {
                bytes += listing.bytes();
                let objects = listing.objects.len();
                let message = format!("{objects} objects at `{location}`, {read}");
                findings.push(Finding::ok(check, message));
            }
            Err(error) => {
                findings.push(Finding::failed(check, error.to_string(), Some(error.hint())));
            }
        }
    }
    check_warehouse(settings, connector, checks, &mut examined);
    examined.findings.extend(check_disk_space(settings, bytes));
    examined
}

/// Lists a location and reads the beginning of its first object that is not empty.
fn list_and_read(sources: &Sources, location: &str) -> Result<(Listing, String), SourceError> {
    let listing = sources.list(location)?;
    let Some(first) = listing.objects.iter().find(|object| object.size > 0) else {
        return Ok((listing, "all of them empty".into()));
    };
    let mut content = Content::open(first)?;
    let mut buffer = vec![0; 1 << 12];
    let read = content.read(&mut buffer)?;
    let name = first.key.rsplit('/').next().unwrap_or(&first.key);
    let message = format!("{read} bytes read of `{name}`");
    Ok((listing, message))
}

fn check_warehouse(
    settings: &Settings,
    connector: &dyn Connector,
    checks: Checks,
    examined: &mut Examined,
) {
    let findings = &mut examined.findings;
    let name = settings.warehouse.to_string();
    if let Some(file) = settings.warehouse.file()
        && !file.exists()
    {
        return findings.push(check_new_file(&name, &file));
    }
    if settings.warehouse.is_file() && settings.warehouse.file().is_none() {
        let message = format!("the folder of `{name}` does not exist");
        let hint = Some("create the folder first".into());
        return findings.push(Finding::failed("warehouse", message, hint));
    }
    let steps = connector.try_steps();
    let is_reachable = steps.iter().all(|step| matches!(step.outcome, Some(Ok(_))));
    findings.extend(steps.into_iter().map(finding_of_step));
    if !is_reachable {
        return findings.extend(["warehouse", "rights"].map(Finding::not_tried));
    }
    let mut warehouse = match connector.open(Access::Write) {
        Ok(warehouse) => warehouse,
        Err(error) => return findings.push(finding_of_error("warehouse", &error)),
    };
    let version = match warehouse.query_file(&sql::VERSION, &[], 1) {
        Ok(rows) => first_cell(&rows),
        Err(error) => return findings.push(finding_of_error("warehouse", &error)),
    };
    findings.push(Finding::ok("warehouse", format!("`{name}` is {version}")));
    if let Err(error) = check_rights(warehouse.as_mut()) {
        return findings.push(finding_of_error("rights", &error));
    }
    findings.push(Finding::ok("rights", "tables can be created, filled and dropped"));
    let mut probed = Probed::default();
    if checks.probes || checks.evidence {
        probed = probes::run(warehouse.as_mut());
        findings.extend(probed.findings());
    }
    let mut explained = Explained::default();
    if checks.plans || checks.evidence {
        explained = plans::run(warehouse.as_mut());
        findings.extend(explained.findings.clone());
    }
    if checks.evidence {
        let gathered =
            evidence::gather(settings, warehouse.as_mut(), &version, &probed, &explained);
        examined.evidence = Some(gathered);
    }
    examined.plans = explained.plans;
}

fn finding_of_step(ConnectionStep { name, outcome }: ConnectionStep) -> Finding {
    match outcome {
        Some(Ok(message)) => Finding::ok(name, message),
        Some(Err(error)) => finding_of_error(name, &error),
        None => Finding::not_tried(name),
    }
}

fn first_cell(rows: &Rows) -> String {
    let cell = rows.rows.first().and_then(|row| row.first());
    cell.map(ToString::to_string).unwrap_or_default()
}

fn finding_of_error(check: &str, error: &WarehouseError) -> Finding {
    Finding::failed(check, error.to_string(), error.hint())
}

/// Creates, fills and drops a table in a transaction that is rolled back.
fn check_rights(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    warehouse.run(&sql::PROBE_BEGIN)?;
    let tried = warehouse.run(&sql::PROBE);
    let rolled_back = warehouse.run(&sql::PROBE_UNDO);
    tried.and(rolled_back)
}

/// Checks that the first load can create the warehouse file in its folder.
fn check_new_file(name: &str, file: &Path) -> Finding {
    let folder = file.parent().unwrap_or(Path::new("."));
    match tempfile::tempfile_in(folder) {
        Ok(_) => Finding::ok(
            "warehouse",
            format!("`{name}` does not exist yet; the first load creates it"),
        ),
        Err(error) => Finding::failed(
            "warehouse",
            format!("cannot create a file in `{}`: {error}", folder.display()),
            Some(
                "check the permissions of the folder, or choose another file with `--warehouse`"
                    .into(),
            ),
        ),
    }
}

/// Checks the free space of the disk that holds the warehouse file and its spilled data.
fn check_disk_space(settings: &Settings, source_bytes: u64) -> Option<Finding> {
    let check = "disk space";
    let file = settings.warehouse.file()?;
    let folder = file.parent()?;
    let free = match rustix::fs::statvfs(folder) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            return Some(Finding::hint(check, "cannot be measured", error.to_string()));
        }
    };
    let message = format!("{} MB free in `{}`", free / 1_000_000, folder.display());
    let hint = "free some space, or choose a file on another disk with `--warehouse`";
    Some(if free < MIN_FREE_SPACE {
        Finding::failed(check, message, Some(hint.into()))
    } else if free < source_bytes.saturating_mul(2) {
        let source = format!("the source has {} MB: {hint}", source_bytes / 1_000_000);
        Finding::hint(check, message, source)
    } else {
        Finding::ok(check, message)
    })
}
