//! `cluster down`: deletes the security group rules, the cluster (or the workgroup, then the
//! namespace), and the role with its policies.
//!
//! Each step inspects the resource first and is idempotent: a resource that is already gone counts
//! as deleted. Only resources with sparkify's tags are deleted.

use serde::Serialize;

use super::cloud::Cloud;
use super::inspect::{self, Inspection, Resource};
use super::serverless::{self, Part};
use super::{ClusterError, Watch, network, provisioned, role, wait};
use sparkify_config::{ClusterSettings, Form};

/// Name of the snapshot taken before the deletion, if any.
#[derive(Debug, Clone, Default)]
pub struct FinalSnapshot(pub Option<String>);

/// Result of `down`.
#[derive(Debug, Clone, Serialize)]
pub struct Down {
    /// Resources deleted by this run, in order.
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
            let progress = deleted.into_iter().map(|what| format!("{what} deleted")).collect();
            Err(ClusterError::Interrupted { progress })
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
    let found = Inspection::of(cloud, settings).await?;
    found.check_ownership(settings)?;
    // A warehouse known to be private has no rule. A deleted one may have left one.
    if found.warehouse.as_ref().and_then(|warehouse| warehouse.public) != Some(false) {
        rules(cloud, &settings.name, watch, deleted).await?;
    }
    warehouse(cloud, settings, &found, snapshot, watch, deleted).await?;
    wait::check(watch)?;
    let Some(role) = found.managed_role(settings) else { return Ok(()) };
    // A warehouse of the other form with this name shares the role.
    if let Some(other) = inspect::other_form(cloud, settings).await {
        (watch.report)(&format!("keeping the role `{}`: {} uses it", role.name, other.noun()));
        return Ok(());
    }
    let others = role::users_elsewhere(cloud, role, watch).await?;
    if role::release(cloud, settings, role, &others, watch).await? {
        deleted.push(format!("the role `{}`", role.name));
    }
    Ok(())
}

/// Deletes the security group rules of the warehouses of this name.
pub(super) async fn rules(
    cloud: &Cloud,
    name: &str,
    watch: &Watch,
    deleted: &mut Vec<String>,
) -> Result<(), ClusterError> {
    for rule in network::rules(cloud, name).await? {
        (watch.report)(&format!("removing the security group rule for `{}`", rule.cidr));
        network::revoke(cloud, &rule).await?;
        deleted.push(format!("the rule for `{}` in `{}`", rule.cidr, rule.group));
    }
    Ok(())
}

/// Deletes the cluster, or the workgroup and then the namespace.
pub(super) async fn warehouse(
    cloud: &Cloud,
    settings: &ClusterSettings,
    found: &Inspection,
    snapshot: &FinalSnapshot,
    watch: &Watch,
    deleted: &mut Vec<String>,
) -> Result<(), ClusterError> {
    match settings.form {
        Form::Provisioned { .. } => {
            cluster(cloud, settings, found.warehouse.as_ref(), snapshot, watch, deleted).await?;
        }
        Form::Serverless { .. } => {
            // The workgroup uses the namespace, so it is deleted first.
            let parts = [(Part::Workgroup, &found.warehouse), (Part::Namespace, &found.namespace)];
            for (part, resource) in parts {
                if let Some(resource) = resource {
                    delete_part(cloud, settings, part, resource, snapshot, watch).await?;
                    deleted.push(resource.noun());
                }
            }
        }
    }
    Ok(())
}

async fn cluster(
    cloud: &Cloud,
    settings: &ClusterSettings,
    found: Option<&Resource>,
    snapshot: &FinalSnapshot,
    watch: &Watch,
    deleted: &mut Vec<String>,
) -> Result<(), ClusterError> {
    let Some(found) = found else { return Ok(()) };
    if found.state != "deleting" {
        (watch.report)(&format!("deleting {}", found.noun()));
        provisioned::delete(cloud, settings, snapshot, watch).await?;
    }
    provisioned::wait_until_deleted(cloud, settings, watch).await?;
    deleted.push(found.noun());
    Ok(())
}

async fn delete_part(
    cloud: &Cloud,
    settings: &ClusterSettings,
    part: Part,
    found: &Resource,
    snapshot: &FinalSnapshot,
    watch: &Watch,
) -> Result<(), ClusterError> {
    if found.state != "deleting" {
        (watch.report)(&format!("deleting {}", found.noun()));
        serverless::delete(cloud, part, settings, snapshot, watch).await?;
    }
    serverless::wait_until_deleted(cloud, part, settings, watch).await
}
