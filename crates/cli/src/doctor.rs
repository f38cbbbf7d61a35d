//! `sparkify doctor`: everything that a load needs, looked at before it runs.

use clap::Args;
use serde::Serialize;

use super::args::S3Args;
use super::failure::{DATA, Failure};
use super::printer::Printer;
use crate::connect::Engines;
use sparkify_analytics::report::plain_table;
use sparkify_config::{Access, ConfigError, Credentials, Flags, Settings, redact};
use sparkify_load::doctor::{self, Line, State};

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
    lines: &'a [Line],
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
    let mut lines = vec![Line::ok("version", format!("sparkify {}", env!("CARGO_PKG_VERSION")))];
    match Settings::resolve(flags) {
        Ok(settings) => {
            lines.push(configuration(&settings));
            lines.extend(aws(flags, &settings, printer));
            lines.extend(doctor::examine(&settings, &Engines::new(&settings), !no_probes));
        }
        Err(error) => lines.push(unsettled("configuration", &error)),
    }
    for line in &mut lines {
        line.said = redact::without_secrets(&line.said);
        line.hint = line.hint.as_deref().map(redact::without_secrets);
    }
    let ok = lines.iter().all(|line| line.state != State::Failed);
    let report = Report { version: env!("CARGO_PKG_VERSION"), ok, lines: &lines };
    printer.answer(&report, || text(&lines))?;
    if ok { Ok(()) } else { Err(Failure::told(DATA)) }
}

fn unsettled(what: &str, error: &ConfigError) -> Line {
    Line::failed(what, error.to_string(), Some(error.hint()))
}

fn configuration(settings: &Settings) -> Line {
    let read = match &settings.file {
        Some(file) => format!("`{}` is read", file.display()),
        None => "there is no `dwh.cfg`: flags, environment and defaults decide".into(),
    };
    if settings.warnings.is_empty() {
        return Line::ok("configuration", read);
    }
    Line::hint("configuration", read, settings.warnings.join("; "))
}

/// What AWS has to say, where a load would ask it for anything.
fn aws(flags: &Flags, settings: &Settings, printer: &Printer) -> Vec<Line> {
    let places = [&settings.song_data, &settings.log_data];
    let far = places.into_iter().flatten().any(|place| place.starts_with("s3://"));
    let is_cluster = settings.warehouse.scheme() == "redshift";
    if !far && !is_cluster {
        return vec![Line::ok("credentials", "none are needed: nothing lies at AWS")];
    }
    // A bucket may be read anonymously; calls of Redshift are always signed.
    let access = if is_cluster { settings.s3.signing() } else { settings.s3.access() };
    match access {
        Err(error) => vec![unsettled("credentials", &error)],
        Ok(Access { credentials: Credentials::Anonymous, .. }) => {
            vec![Line::ok("credentials", "none are used: requests are not signed")]
        }
        Ok(access) => probed(flags, settings, &access, is_cluster, printer),
    }
}

#[cfg(not(feature = "cluster"))]
fn probed(_: &Flags, _: &Settings, access: &Access, is_cluster: bool, _: &Printer) -> Vec<Line> {
    let hint = "this program was built without the clients of AWS: `make build` makes it whole";
    let unchecked = |what: &&str| Line::hint(*what, "not checked", hint);
    let mut lines = vec![found(access).unwrap_or_else(|| unchecked(&"credentials"))];
    lines.push(unchecked(&"clock"));
    if is_cluster {
        lines.extend(["role", "role's rights"].iter().map(unchecked));
    }
    lines
}

/// Fetches the credentials, where the program is able to; their identity is not checked.
#[cfg(all(feature = "s3", not(feature = "cluster")))]
fn found(access: &Access) -> Option<Line> {
    Some(match sparkify_aws::check(access) {
        Ok(_) => Line::ok("credentials", "found; reading tests them"),
        Err(error) => Line::failed("credentials", error.to_string(), Some(error.hint)),
    })
}

#[cfg(not(any(feature = "s3", feature = "cluster")))]
fn found(_: &Access) -> Option<Line> {
    None
}

#[cfg(feature = "cluster")]
fn probed(
    flags: &Flags,
    settings: &Settings,
    access: &Access,
    is_cluster: bool,
    printer: &Printer,
) -> Vec<Line> {
    use sparkify_config::{ClusterFlags, ClusterSettings};

    let wanted = match ClusterSettings::resolve(flags, &ClusterFlags::default(), settings) {
        Ok(wanted) => wanted,
        Err(error) => return vec![unsettled("cluster settings", &error)],
    };
    if !is_cluster {
        match sparkify_aws::check(access) {
            Err(error) => {
                return vec![Line::failed("credentials", error.to_string(), Some(error.hint))];
            }
            Ok(resolved) if resolved.endpoint.is_some() => {
                let text = "found; the server is not Amazon's, so reading tests them";
                return vec![Line::ok("credentials", text)];
            }
            Ok(_) => {}
        }
    }
    // A load into a file needs no role of Redshift.
    let role_arn = wanted.role_arn.clone().filter(|_| is_cluster);
    let no_role = is_cluster && role_arn.is_none();
    let wanted = ClusterSettings { role_arn, ..wanted };
    let Ok(watch) = super::cluster::watch(printer) else { return Vec::new() };
    let probed = sparkify_cluster::probe(&wanted, &watch).0;
    let mut lines: Vec<Line> = probed
        .into_iter()
        .map(|probed| match (probed.outcome, probed.hint) {
            (Ok(said), None) => Line::ok(probed.what, said),
            (Ok(said), Some(hint)) => Line::hint(probed.what, said, hint),
            (Err(said), hint) => Line::failed(probed.what, said, hint),
        })
        .collect();
    if no_role {
        lines.push(Line::failed(
            "role",
            "no role is configured that would read the bucket",
            Some("`sparkify cluster up --write-config` makes one, or give its ARN in [IAM_ROLE] of dwh.cfg".into()),
        ));
    }
    lines
}

fn text(lines: &[Line]) -> String {
    let state = |state: State| match state {
        State::Ok => "ok",
        State::Failed => "failed",
        State::Hint => "hint",
        State::NotTried => "not tried",
    };
    let mut rows = Vec::new();
    for line in lines {
        rows.push(vec![line.what.clone(), state(line.state).to_owned(), line.said.clone()]);
        let hint = line.hint.as_ref();
        rows.extend(hint.map(|hint| vec![String::new(), String::new(), format!("→ {hint}")]));
    }
    plain_table(&["what", "state", "found"], &rows, &[])
}
