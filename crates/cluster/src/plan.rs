//! Plan of `up` (dry run), from the same inspection that `up` starts with.

use serde::Serialize;
use serde_json::Value;

use super::cloud::Cloud;
use super::cost::{Estimate, estimate};
use super::inspect::{Inspection, Resource, Size, form_name};
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
    check_role(settings, &found)?;
    let mut steps = vec![role_step(settings, &found)];
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
                format!("{size}, port {}", settings.port),
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

/// Refuses a role without prefixes, and a role name that sparkify does not manage, before anything
/// is created.
pub(super) fn check_role(
    settings: &ClusterSettings,
    found: &Inspection,
) -> Result<(), ClusterError> {
    if role::external_role(settings, &found.caller).is_some() {
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
        _ => Ok(()),
    }
}

fn role_step(settings: &ClusterSettings, found: &Inspection) -> Step {
    if let Some(arn) = role::external_role(settings, &found.caller) {
        let what = format!("the role `{arn}`");
        return Step {
            action: "use",
            what,
            detail: "unchanged; sparkify never changes or deletes it".into(),
        };
    }
    let action = if found.role.is_some() { "keep" } else { "create" };
    let what = format!("the role `{}`", settings.role_name);
    Step { action, what, detail: format!("reads {}", role::prefix_list(settings)) }
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
    differences
}
