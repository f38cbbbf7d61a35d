//! What would `up` do? The same look as before any step, told and not done.

use serde::Serialize;
use serde_json::Value;

use super::cloud::Cloud;
use super::cost::{Estimate, estimate};
use super::survey::{Size, Standing, Survey, form_name};
use super::{ClusterError, Watch, policy, role};
use sparkify_config::{ClusterSettings, Form};

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// create, keep or use.
    pub action: &'static str,
    /// What.
    pub what: String,
    /// What is worth knowing about it.
    pub detail: String,
}

/// What `up` would do.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The name.
    pub name: String,
    /// provisioned or serverless.
    pub form: &'static str,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// Who asks.
    pub caller: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Who may take on the role that would be created.
    pub trust_policy: Value,
    /// What it may do.
    pub access_policy: Value,
    /// What the warehouse would cost.
    pub cost: Estimate,
    /// What is there and differs from what is asked for.
    pub differences: Vec<String>,
}

pub(super) async fn plan(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<Plan, ClusterError> {
    let survey = Survey::take(cloud, settings).await?;
    survey.check_ours(settings)?;
    super::patience::check(watch)?;
    check_role(settings, &survey)?;
    let mut steps = vec![role_step(settings, &survey)];
    let size = Size::wanted(&settings.form);
    let mut step = |found: Option<&Standing>, what: &str, detail: String| {
        let action = if found.is_some() { "keep" } else { "create" };
        let state = found.map(|found| format!("it is `{}`", found.state));
        let what = format!("{what} `{}`", settings.name);
        steps.push(Step { action, what, detail: state.unwrap_or(detail) });
    };
    let whose = if settings.manages_password() {
        "AWS makes and keeps the password"
    } else {
        "with the password of the configuration file"
    };
    match settings.form {
        Form::Provisioned { .. } => step(
            survey.warehouse.as_ref(),
            "the cluster",
            format!("{size}, encrypted, port {}, {whose}", settings.port),
        ),
        Form::Serverless { .. } => {
            step(survey.namespace.as_ref(), "the namespace", format!("encrypted, {whose}"));
            step(
                survey.warehouse.as_ref(),
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
        account: survey.caller.account.clone(),
        caller: survey.caller.arn.clone(),
        steps,
        trust_policy: policy::trust(settings),
        access_policy: policy::access(&settings.prefixes, &survey.caller.partition),
        cost: estimate(&size, &cloud.region, None),
        differences: differences(settings, survey.warehouse.as_ref()),
    })
}

/// A role that reads nothing, and a name that is somebody else's, are found before anything is made.
pub(super) fn check_role(settings: &ClusterSettings, survey: &Survey) -> Result<(), ClusterError> {
    if role::given(settings, &survey.caller).is_some() {
        return Ok(());
    }
    if settings.prefixes.is_empty() {
        return Err(ClusterError::cannot(
            "there is nothing in S3 for the role to read",
            "give `--song-data s3://BUCKET/PREFIX` and `--log-data`, or LOG_DATA, SONG_DATA or STAGING in [S3] of dwh.cfg; or a role in [IAM_ROLE]",
        ));
    }
    match &survey.role {
        Some(found) if !found.tags.are_ours(&settings.name) => {
            Err(ClusterError::Foreign { what: "the role", name: found.name.clone() })
        }
        _ => Ok(()),
    }
}

fn role_step(settings: &ClusterSettings, survey: &Survey) -> Step {
    if let Some(arn) = role::given(settings, &survey.caller) {
        let what = format!("the role `{arn}`");
        return Step {
            action: "use",
            what,
            detail: "as it is; it is never changed or deleted".into(),
        };
    }
    let action = if survey.role.is_some() { "keep" } else { "create" };
    let what = format!("the role `{}`", settings.role_name);
    Step { action, what, detail: format!("reads {}", role::places(settings)) }
}

fn network_step(settings: &ClusterSettings) -> Step {
    if !settings.public {
        return Step {
            action: "keep",
            what: "the network".into(),
            detail: "not reachable from outside it; `--public` lets one address in".into(),
        };
    }
    let from = settings.allow_cidr.as_deref().unwrap_or("this machine's address alone");
    let detail = format!("port {} from {from}, removed on the way down", settings.port);
    Step { action: "create", what: "a rule of the security group".into(), detail }
}

/// What is there and was asked for otherwise; it is told and left as it is.
pub(super) fn differences(settings: &ClusterSettings, found: Option<&Standing>) -> Vec<String> {
    let Some(found) = found else { return Vec::new() };
    let wanted = Size::wanted(&settings.form);
    let mut told = Vec::new();
    let mut compare = |what: &str, is: Option<String>, should: String| {
        if let Some(is) = is.filter(|is| *is != should) {
            told.push(format!("{what} is `{is}` and `{should}` is asked for: it is left as it is"));
        }
    };
    compare("the size", found.size.as_ref().map(ToString::to_string), wanted.to_string());
    compare("the port", found.port.map(|port| port.to_string()), settings.port.to_string());
    compare("public access", found.public.map(|is| is.to_string()), settings.public.to_string());
    told
}
