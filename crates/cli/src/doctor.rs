//! `sparkify doctor`: everything that a load needs, looked at before it runs.

use clap::Args;
use serde::Serialize;

use super::args::S3Args;
use super::failure::{DATA, Failure};
use super::printer::Printer;
use crate::connect::Engines;
use sparkify_analytics::report::plain_table;
use sparkify_config::{Access, ConfigError, Credentials, Flags, Settings, redact};
use sparkify_load::doctor::{self, Finding, Status};

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The song objects [default: `SONG_DATA` of [S3] in dwh.cfg]
    #[arg(long, value_name = "PLACE")]
    pub song_data: Option<String>,
    /// The event objects [default: `LOG_DATA` of [S3] in dwh.cfg]
    #[arg(long, value_name = "PLACE")]
    pub log_data: Option<String>,
    /// Leave out whether the warehouse answers as its documentation says, which a cluster is asked at the end
    #[arg(long)]
    pub no_probes: bool,
    #[command(flatten)]
    pub s3: S3Args,
}

#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    ok: bool,
    lines: &'a [Finding],
}

impl Doctor {
    /// What was typed for this command, over what was typed for all.
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags {
            song_data: self.song_data.clone(),
            log_data: self.log_data.clone(),
            s3: self.s3.flags(),
            ..flags
        }
    }
}

pub(super) fn run(flags: &Flags, no_probes: bool, printer: &Printer) -> Result<(), Failure> {
    let mut lines = vec![Finding::ok("version", format!("sparkify {}", env!("CARGO_PKG_VERSION")))];
    match Settings::resolve(flags) {
        Ok(settings) => {
            lines.push(configuration(&settings));
            lines.extend(aws(flags, &settings, printer));
            lines.extend(doctor::examine(&settings, &Engines::new(&settings), !no_probes));
        }
        Err(error) => lines.push(unsettled("configuration", &error)),
    }
    for line in &mut lines {
        line.message = redact::without_secrets(&line.message);
        line.hint = line.hint.as_deref().map(redact::without_secrets);
    }
    let ok = lines.iter().all(|line| line.status != Status::Failed);
    let report = Report { version: env!("CARGO_PKG_VERSION"), ok, lines: &lines };
    printer.answer(&report, || text(&lines))?;
    if ok { Ok(()) } else { Err(Failure::told(DATA)) }
}

fn unsettled(what: &str, error: &ConfigError) -> Finding {
    Finding::failed(what, error.to_string(), Some(error.hint()))
}

fn configuration(settings: &Settings) -> Finding {
    let read = match &settings.file {
        Some(file) => format!("`{}` is read", file.display()),
        None => "there is no `dwh.cfg`: flags, environment and defaults decide".into(),
    };
    if settings.warnings.is_empty() {
        return Finding::ok("configuration", read);
    }
    Finding::hint("configuration", read, settings.warnings.join("; "))
}

/// What AWS has to say, where a load would ask it for anything.
fn aws(flags: &Flags, settings: &Settings, printer: &Printer) -> Vec<Finding> {
    let places = [&settings.song_data, &settings.log_data];
    let far = places.into_iter().flatten().any(|place| place.starts_with("s3://"));
    let is_cluster = settings.warehouse.scheme() == "redshift";
    if !far && !is_cluster {
        return vec![Finding::ok("credentials", "none are needed: nothing lies at AWS")];
    }
    let access = match settings.s3.access() {
        Ok(access) => access,
        Err(error) => return vec![unsettled("credentials", &error)],
    };
    match &access.credentials {
        Credentials::Anonymous if !is_cluster => {
            vec![Finding::ok("credentials", "none are used: requests are not signed")]
        }
        Credentials::Nowhere => vec![Finding::failed(
            "credentials",
            "no credentials for AWS were found",
            Some("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or KEY and SECRET in [AWS] of dwh.cfg; a public bucket is read with `--no-sign-request`".into()),
        )],
        _ => asked(flags, settings, &access, is_cluster, printer),
    }
}

#[cfg(not(feature = "cluster"))]
fn asked(_: &Flags, _: &Settings, access: &Access, is_cluster: bool, _: &Printer) -> Vec<Finding> {
    let hint = "this program was built without the clients of AWS: `make build` makes it whole";
    let mut unchecked = vec!["credentials", "clock"];
    if is_cluster {
        unchecked.extend(["role", "role's rights"]);
    }
    let _ = access;
    unchecked.into_iter().map(|what| Finding::hint(what, "not checked", hint)).collect()
}

#[cfg(feature = "cluster")]
fn asked(
    flags: &Flags,
    settings: &Settings,
    access: &Access,
    is_cluster: bool,
    printer: &Printer,
) -> Vec<Finding> {
    use sparkify_config::{ClusterFlags, ClusterSettings};

    let wanted = match ClusterSettings::resolve(flags, &ClusterFlags::default(), settings) {
        Ok(wanted) => wanted,
        Err(error) => return vec![unsettled("cluster settings", &error)],
    };
    if access.endpoint.is_some() && !is_cluster {
        return vec![Finding::ok(
            "credentials",
            "the store is not Amazon's: the reading below tries them",
        )];
    }
    // A load into a file needs no role of Redshift's.
    let role_arn = wanted.role_arn.clone().filter(|_| is_cluster);
    let region = wanted.aws.region.clone().or_else(|| Some("us-east-1".into()));
    let aws = sparkify_config::AwsSettings { region, ..wanted.aws.clone() };
    let no_role = is_cluster && role_arn.is_none();
    let wanted = ClusterSettings { role_arn, aws, ..wanted };
    let Ok(watch) = super::cluster::watch(printer) else { return Vec::new() };
    let probed = sparkify_cluster::probe(&wanted, &watch).0;
    let mut lines: Vec<Finding> = probed
        .into_iter()
        .map(|probed| match (probed.outcome, probed.hint) {
            (Ok(said), None) => Finding::ok(probed.what, said),
            (Ok(said), Some(hint)) => Finding::hint(probed.what, said, hint),
            (Err(said), hint) => Finding::failed(probed.what, said, hint),
        })
        .collect();
    if no_role {
        lines.push(Finding::failed(
            "role",
            "no role is configured that would read the bucket",
            Some("`sparkify cluster up --write-config` makes one, or give its ARN in [IAM_ROLE] of dwh.cfg".into()),
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
    plain_table(&["what", "state", "found"], &rows, &[])
}
