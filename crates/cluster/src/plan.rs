//! Plan of `up` (dry run), from the same inspection that `up` starts with.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::cloud::Cloud;
use super::cost::{Estimate, estimate};
use super::inspect::{Inspection, Resource, Size, form_name};
use super::tags::format_time;
use super::{ClusterError, Watch, policy, role};
use sparkify_config::{ClusterSettings, Form};

/// Step of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// `create`, `keep` or `use`.
    pub action: &'static str,
    /// Resource with its name.
    pub what: String,
    /// Properties or current state of the resource.
    pub detail: String,
}

/// Plan of `up`.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Name of the warehouse.
    pub name: String,
    /// `provisioned` or `serverless`.
    pub form: &'static str,
    /// AWS region.
    pub region: String,
    /// AWS account ID.
    pub account: String,
    /// ARN of the AWS identity.
    pub caller: String,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Trust policy of the role: the services that may assume it.
    pub trust_policy: Value,
    /// Access policy of the role.
    pub access_policy: Value,
    /// Cost estimate.
    pub cost: Estimate,
    /// Differences between existing resources and the settings. `up` does not change them.
    pub differences: Vec<String>,
}

pub(super) async fn plan(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<Plan, ClusterError> {
    let found = Inspection::of(cloud, settings).await?;
    found.check_ownership(settings)?;
    super::wait::check(watch)?;
    check_role(cloud, settings, &found).await?;
    let mut steps = vec![role_step(settings, &found, &cloud.region)];
    let size = Size::requested(&settings.form);
    let mut step = |existing: Option<&Resource>, what: &str, detail: String| {
        let action = if existing.is_some() { "keep" } else { "create" };
        let state = existing.map(|existing| format!("state `{}`", existing.state));
        let what = format!("{what} `{}`", settings.name);
        steps.push(Step { action, what, detail: state.unwrap_or(detail) });
    };
    let password = if settings.manages_password() {
        "password managed by AWS"
    } else {
        "password from the configuration file"
    };
    match settings.form {
        Form::Provisioned { .. } => step(
            found.warehouse.as_ref(),
            "the cluster",
            format!("{size}, encrypted, port {}, {password}", settings.port),
        ),
        Form::Serverless { .. } => {
            step(found.namespace.as_ref(), "the namespace", format!("encrypted, {password}"));
            step(
                found.warehouse.as_ref(),
                "the workgroup",
                format!("{size}, {}, port {}", limits(settings), settings.port),
            );
        }
    }
    steps.push(network_step(settings));
    Ok(Plan {
        name: settings.name.clone(),
        form: form_name(&settings.form),
        region: cloud.region.clone(),
        account: found.caller.account.clone(),
        caller: found.caller.arn.clone(),
        steps,
        trust_policy: policy::trust(settings),
        access_policy: policy::access(&settings.prefixes, &found.caller.partition),
        cost: estimate(&size, &cloud.region, None),
        differences: differences(settings, found.warehouse.as_ref()),
    })
}

/// Refuses a role without prefixes, and a role that sparkify does not manage or that was changed,
/// before anything is created.
pub(super) async fn check_role(
    cloud: &Cloud,
    settings: &ClusterSettings,
    found: &Inspection,
) -> Result<(), ClusterError> {
    if role::external_role(settings, &found.caller, &cloud.region).is_some() {
        return Ok(());
    }
    if settings.prefixes.is_empty() {
        return Err(ClusterError::cannot(
            "no S3 prefix is configured for the role to read",
            "pass `--song-data s3://BUCKET/PREFIX` and `--log-data`, or set LOG_DATA, SONG_DATA or STAGING in [S3] of dwh.cfg, or a role in [IAM_ROLE]",
        ));
    }
    match &found.role {
        Some(role) if !role.tags.belong_to(&settings.name) => {
            Err(ClusterError::Foreign { what: "the role", name: role.name.clone() })
        }
        Some(role) => role::check_unchanged(cloud, settings, role).await,
        None => Ok(()),
    }
}

fn role_step(settings: &ClusterSettings, found: &Inspection, region: &str) -> Step {
    if let Some(arn) = role::external_role(settings, &found.caller, region) {
        let what = format!("the role `{arn}`");
        return Step {
            action: "use",
            what,
            detail: "unchanged; sparkify never changes or deletes it".into(),
        };
    }
    let (action, name) = match &found.role {
        Some(role) => ("keep", role.name.clone()),
        None => ("create", settings.role_names(region).swap_remove(0)),
    };
    let bounded = settings.permissions_boundary.as_ref();
    let bounded = bounded.map_or(String::new(), |arn| format!(", bounded by `{arn}`"));
    let detail = format!("reads {}{bounded}", role::prefix_list(settings));
    Step { action, what: format!("the role `{name}`"), detail }
}

/// Returns the limits of a serverless workgroup.
fn limits(settings: &ClusterSettings) -> String {
    let Form::Serverless { max_capacity, usage_limit, .. } = &settings.form else {
        return String::new();
    };
    match usage_limit {
        Some(hours) => format!("at most {max_capacity} RPU and {hours} RPU-hours per day"),
        None => format!("at most {max_capacity} RPU"),
    }
}

fn network_step(settings: &ClusterSettings) -> Step {
    if !settings.public {
        return Step {
            action: "keep",
            what: "the network".into(),
            detail: "not reachable from outside the VPC; `--public` allows one address range"
                .into(),
        };
    }
    let from = settings.allow_cidr.as_deref().unwrap_or("this machine's address only");
    let detail = format!("port {} from {from}, removed by `cluster down`", settings.port);
    Step { action: "create", what: "a security group rule".into(), detail }
}

/// Returns the differences between the existing warehouse and the settings, which are reported and
/// not changed.
pub(super) fn differences(settings: &ClusterSettings, found: Option<&Resource>) -> Vec<String> {
    let Some(found) = found else { return Vec::new() };
    let wanted = Size::requested(&settings.form);
    let mut differences = Vec::new();
    let mut compare = |what: &str, is: Option<String>, should: String| {
        if let Some(is) = is.filter(|is| *is != should) {
            differences.push(format!(
                "{what} is `{is}`, but the settings request `{should}`: it is not changed"
            ));
        }
    };
    compare("the size", found.size.as_ref().map(ToString::to_string), wanted.to_string());
    compare("the port", found.port.map(|port| port.to_string()), settings.port.to_string());
    compare("public access", found.public.map(|is| is.to_string()), settings.public.to_string());
    if let Some(expires) = found.tags.expires()
        && expires < OffsetDateTime::now_utc()
    {
        let (noun, time) = (found.noun(), format_time(expires));
        differences.push(format!(
            "{noun} expired at {time}, and `sparkify cluster reap` deletes it: pass `--ttl` to prolong its life"
        ));
    }
    differences
}
