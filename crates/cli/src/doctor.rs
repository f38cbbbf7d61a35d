//! `sparkify doctor`: pre-flight check of everything that a load needs.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::args::S3Args;
use super::atomic_file;
use super::failure::{DATA, Failure};
use super::printer::Printer;
use super::terminal;
use crate::connect::Engines;
use sparkify_config::{Access, ConfigError, Credentials, Flags, Settings, redact};
use sparkify_load::doctor::plans::StatementPlan;
use sparkify_load::doctor::{self, Checks, Finding, Status};
use sparkify_warehouse::WarehouseError;

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Song files [default: `SONG_DATA` in [S3] of dwh.cfg]
    #[arg(long, value_name = "LOCATION")]
    pub song_data: Option<String>,
    /// Event files [default: `LOG_DATA` in [S3] of dwh.cfg]
    #[arg(long, value_name = "LOCATION")]
    pub log_data: Option<String>,
    /// Skip compatibility probes (Redshift)
    #[arg(long)]
    pub no_probes: bool,
    /// Explain the statements of an incremental load, and report expensive plans
    #[arg(long)]
    pub plans: bool,
    /// Write what the warehouse answers to probes and plans, without private parts, to send it to
    /// the project
    #[arg(long, value_name = "FILE", conflicts_with = "no_probes")]
    pub evidence: Option<PathBuf>,
    #[command(flatten)]
    pub s3: S3Args,
}

#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    ok: bool,
    lines: &'a [Finding],
    #[serde(skip_serializing_if = "Option::is_none")]
    plans: Option<&'a [StatementPlan]>,
}

impl Doctor {
    /// Adds the options of this command to the global ones.
    pub(super) fn merge_into(&self, flags: Flags) -> Flags {
        Flags {
            song_data: self.song_data.clone(),
            log_data: self.log_data.clone(),
            s3: self.s3.flags(),
            ..flags
        }
    }
}

pub(super) fn run(args: &Doctor, flags: &Flags, printer: &Printer) -> Result<(), Failure> {
    let (mut plans, mut evidence) = (Vec::new(), None);
    let mut lines = vec![Finding::ok("version", format!("sparkify {}", env!("CARGO_PKG_VERSION")))];
    match Settings::resolve(flags) {
        Ok(settings) => {
            lines.push(configuration(&settings));
            lines.extend(check_aws(flags, &settings, printer));
            let checks = Checks {
                probes: !args.no_probes,
                plans: args.plans,
                evidence: args.evidence.is_some(),
            };
            let examined = doctor::examine(&settings, &Engines::new(&settings), checks);
            lines.extend(examined.findings);
            plans = examined.plans;
            evidence = examined.evidence;
        }
        Err(error) => lines.push(invalid("configuration", &error)),
    }
    if let Some(file) = &args.evidence {
        lines.push(write_evidence(file, evidence.as_ref())?);
    }
    for line in &mut lines {
        line.message = redact::without_secrets(&line.message);
        line.hint = line.hint.as_deref().map(redact::without_secrets);
    }
    let ok = lines.iter().all(|line| line.status != Status::Failed);
    let plans = args.plans.then_some(plans.as_slice());
    let report = Report { version: env!("CARGO_PKG_VERSION"), ok, lines: &lines, plans };
    printer.result(&report, || text(&lines))?;
    if ok { Ok(()) } else { Err(Failure::reported(DATA)) }
}

/// Writes the evidence file, if the warehouse could be examined.
fn write_evidence(file: &Path, evidence: Option<&serde_json::Value>) -> Result<Finding, Failure> {
    let Some(evidence) = evidence else {
        let hint = "the checks above say why";
        return Ok(Finding::hint(
            "evidence",
            "not written: the warehouse cannot be examined",
            hint,
        ));
    };
    atomic_file::write(file, true, |out| {
        serde_json::to_writer_pretty(&mut *out, evidence)
            .map_err(std::io::Error::from)
            .and_then(|()| writeln!(out))
            .map_err(WarehouseError::Sink)
    })?;
    let message = format!("written to `{}`", file.display());
    Ok(Finding::hint("evidence", message, "read the file before you send it"))
}

fn invalid(check: &str, error: &ConfigError) -> Finding {
    Finding::failed(check, error.to_string(), Some(error.hint()))
}

fn configuration(settings: &Settings) -> Finding {
    let read = match &settings.file {
        Some(file) => format!("read `{}`", file.display()),
        None => "no `dwh.cfg`: using flags, environment and defaults".into(),
    };
    if settings.warnings.is_empty() {
        return Finding::ok("configuration", read);
    }
    Finding::hint("configuration", read, settings.warnings.join("; "))
}

/// Checks credentials and permissions, if the load uses AWS.
fn check_aws(flags: &Flags, settings: &Settings, printer: &Printer) -> Vec<Finding> {
    let locations = [&settings.song_data, &settings.log_data];
    let uses_s3 = locations.into_iter().flatten().any(|location| location.starts_with("s3://"));
    let is_cluster = settings.warehouse.scheme() == "redshift";
    if !uses_s3 && !is_cluster {
        return vec![Finding::ok(
            "credentials",
            "not needed: neither source nor warehouse is on AWS",
        )];
    }
    // A bucket may be read anonymously; calls of Redshift are always signed.
    let access = if is_cluster { settings.s3.signing() } else { settings.s3.access() };
    match access {
        Err(error) => vec![invalid("credentials", &error)],
        Ok(Access { credentials: Credentials::Anonymous, .. }) => {
            vec![Finding::ok("credentials", "not used: access is anonymous")]
        }
        Ok(access) => probe_aws(flags, settings, &access, is_cluster, printer),
    }
}

#[cfg(not(feature = "cluster"))]
fn probe_aws(
    _: &Flags,
    _: &Settings,
    access: &Access,
    is_cluster: bool,
    _: &Printer,
) -> Vec<Finding> {
    let hint = "this build has no AWS clients: build with `make build`";
    let unchecked = |check: &&str| Finding::hint(check, "not checked", hint);
    let mut lines = vec![check_credentials(access, unchecked(&"credentials"))];
    lines.push(unchecked(&"clock"));
    if is_cluster {
        lines.extend(["role", "role's rights"].iter().map(unchecked));
    }
    lines
}

/// Fetches the credentials if this build can; their identity is not checked.
#[cfg(all(feature = "s3", not(feature = "cluster")))]
fn check_credentials(access: &Access, _unchecked: Finding) -> Finding {
    match sparkify_aws::check(access) {
        Ok(_) => Finding::ok("credentials", "found; reading tests them"),
        Err(error) => Finding::failed("credentials", error.to_string(), Some(error.hint)),
    }
}

#[cfg(not(any(feature = "s3", feature = "cluster")))]
fn check_credentials(_: &Access, unchecked: Finding) -> Finding {
    unchecked
}

#[cfg(feature = "cluster")]
fn probe_aws(
    flags: &Flags,
    settings: &Settings,
    access: &Access,
    is_cluster: bool,
    printer: &Printer,
) -> Vec<Finding> {
    use sparkify_config::{ClusterFlags, ClusterSettings};

    let cluster = match ClusterSettings::resolve(flags, &ClusterFlags::default(), settings) {
        Ok(cluster) => cluster,
        Err(error) => return vec![invalid("cluster settings", &error)],
    };
    if !is_cluster {
        match sparkify_aws::check(access) {
            Err(error) => {
                return vec![Finding::failed("credentials", error.to_string(), Some(error.hint))];
            }
            Ok(resolved) if resolved.endpoint.is_some() => {
                let text = "found; the endpoint is not Amazon's: reading the source tests them";
                return vec![Finding::ok("credentials", text)];
            }
            Ok(_) => {}
        }
    }
    // Only a load into Redshift needs an IAM role.
    let role_arn = cluster.role_arn.clone().filter(|_| is_cluster);
    let no_role = is_cluster && role_arn.is_none();
    let cluster = ClusterSettings { role_arn, ..cluster };
    let Ok(watch) = super::cluster::watch(printer) else { return Vec::new() };
    let probed = sparkify_cluster::probe(&cluster, &watch).0;
    let mut lines: Vec<Finding> = probed
        .into_iter()
        .map(|probed| match (probed.outcome, probed.hint) {
            (Ok(finding), None) => Finding::ok(probed.what, finding),
            (Ok(finding), Some(hint)) => Finding::hint(probed.what, finding, hint),
            (Err(message), hint) => Finding::failed(probed.what, message, hint),
        })
        .collect();
    if no_role {
        lines.push(Finding::failed(
            "role",
            "no IAM role is configured: Redshift needs one to read the bucket",
            Some("run `sparkify cluster up --write-config` to create one, or set ARN in [IAM_ROLE] of dwh.cfg".into()),
        ));
    }
    lines
}

fn text(lines: &[Finding]) -> String {
    let state = |state: Status| match state {
        Status::Ok => "ok",
        Status::Failed => "failed",
        Status::Hint => "hint",
        Status::NotTried => "not tried",
    };
    let mut rows = Vec::new();
    for line in lines {
        rows.push(vec![line.check.clone(), state(line.status).to_owned(), line.message.clone()]);
        let hint = line.hint.as_ref();
        rows.extend(hint.map(|hint| vec![String::new(), String::new(), format!("→ {hint}")]));
    }
    terminal::table(&["check", "state", "result"], &rows, &[])
}
