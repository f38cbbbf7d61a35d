//! And back to nothing: rules, cluster (or workgroup, then namespace), then the role's policies and the role. Only what carries our tags; what is gone already
//! is as good.

use serde::Serialize;

use super::cloud::Cloud;
use super::serverless::{self, Part};
use super::survey::{self, Standing, Survey};
use super::{ClusterError, Watch, network, patience, provisioned, role};
use sparkify_config::{ClusterSettings, Form};

/// The snapshot that is taken before it goes, if any.
#[derive(Debug, Clone, Default)]
pub struct FinalSnapshot(pub Option<String>);

/// What `down` came to.
#[derive(Debug, Clone, Serialize)]
pub struct Down {
    /// What was deleted, in order.
    pub deleted: Vec<String>,
}

pub(super) async fn down(
    cloud: &Cloud,
    settings: &ClusterSettings,
    snapshot: &FinalSnapshot,
    watch: &Watch,
) -> Result<Down, ClusterError> {
    let mut deleted = Vec::new();
    match steps(cloud, settings, snapshot, watch, &mut deleted).await {
        Ok(()) => Ok(Down { deleted }),
        Err(ClusterError::Interrupted { .. }) => {
            let there = deleted.into_iter().map(|what| format!("{what} deleted")).collect();
            Err(ClusterError::Interrupted { there })
        }
        Err(error) => Err(error),
    }
}

async fn steps(
    cloud: &Cloud,
    settings: &ClusterSettings,
    snapshot: &FinalSnapshot,
    watch: &Watch,
    deleted: &mut Vec<String>,
) -> Result<(), ClusterError> {
    let survey = Survey::take(cloud, settings).await?;
    survey.check_ours(settings)?;
    if survey.warehouse.as_ref().and_then(|found| found.public) != Some(false) {
        for rule in network::rules(cloud, &settings.name).await? {
            (watch.say)(&format!("removing the rule for `{}`", rule.cidr));
            network::revoke(cloud, &rule).await?;
            deleted.push(format!("the rule for `{}` in `{}`", rule.cidr, rule.group));
        }
    }
    match settings.form {
        Form::Provisioned { .. } => {
            cluster(cloud, settings, survey.warehouse.as_ref(), snapshot, watch, deleted).await?;
        }
        Form::Serverless { .. } => {
            let parts =
                [(Part::Workgroup, &survey.warehouse), (Part::Namespace, &survey.namespace)];
            for (part, found) in parts {
                if let Some(found) = found {
                    half(cloud, settings, part, found, snapshot, watch).await?;
                    deleted.push(found.noun());
                }
            }
        }
    }
    patience::check(watch)?;
    if let Some(ours) = survey.our_role(settings) {
        if let Some(other) = survey::other_form(cloud, settings).await {
            (watch.say)(&format!("the role `{}` stays: {} uses it", ours.name, other.noun()));
            return Ok(());
        }
        (watch.say)(&format!("deleting the role `{}`", ours.name));
        role::delete(cloud, settings, &ours.name, watch).await?;
        deleted.push(format!("the role `{}`", ours.name));
    }
    Ok(())
}

async fn cluster(
    cloud: &Cloud,
    settings: &ClusterSettings,
    found: Option<&Standing>,
    snapshot: &FinalSnapshot,
    watch: &Watch,
    deleted: &mut Vec<String>,
) -> Result<(), ClusterError> {
    let Some(found) = found else { return Ok(()) };
    if found.state != "deleting" {
        (watch.say)(&format!("deleting {}", found.noun()));
        provisioned::delete(cloud, settings, snapshot, watch).await?;
    }
    provisioned::gone(cloud, settings, watch).await?;
    deleted.push(found.noun());
    Ok(())
}

async fn half(
    cloud: &Cloud,
    settings: &ClusterSettings,
    part: Part,
    found: &Standing,
    snapshot: &FinalSnapshot,
    watch: &Watch,
) -> Result<(), ClusterError> {
    if found.state != "deleting" {
        (watch.say)(&format!("deleting {}", found.noun()));
        serverless::delete(cloud, part, settings, snapshot, watch).await?;
    }
    serverless::gone(cloud, part, settings, watch).await
}
