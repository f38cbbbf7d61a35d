//! `cluster up`: role, cluster (or namespace and workgroup), wait, security group rule.
//!
//! Each step inspects the resource first and creates it only if it is missing. A second run changes
//! nothing, and a run after an interruption continues where it stopped.

use serde::Serialize;

use super::cloud::Cloud;
use super::inspect::{Inspection, Resource, Status, status_of};
use super::serverless::{self, Part};
use super::tags::Tags;
use super::{ClusterError, FinalSnapshot, Watch, network, plan, provisioned, role, wait};
use sparkify_config::{ClusterSettings, Form};

/// Result of `up`.
#[derive(Debug, Clone, Serialize)]
pub struct Up {
    /// Resources created or changed by this run.
    pub made: Vec<String>,
    /// Differences between existing resources and the settings, which were not changed.
    pub differences: Vec<String>,
    /// Current state.
    #[serde(flatten)]
    pub status: Status,
}

/// Resources that a run has created and found so far.
#[derive(Default)]
struct Progress {
    made: Vec<String>,
    found: Vec<String>,
}

pub(super) async fn up(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<Up, ClusterError> {
    let mut done = Progress::default();
    match steps(cloud, settings, watch, &mut done).await {
        Err(ClusterError::Interrupted { .. }) => {
            let progress = [done.found, done.made].concat();
            Err(ClusterError::Interrupted { progress })
        }
        ended => ended,
    }
}

async fn steps(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
    done: &mut Progress,
) -> Result<Up, ClusterError> {
    let inspection = Inspection::of(cloud, settings).await?;
    inspection.check_ownership(settings)?;
    plan::check_role(settings, &inspection)?;
    let tags = Tags::new(settings, &inspection.caller.arn);
    // The role comes first: the warehouse is created with it.
    let role = if let Some(arn) = role::external_role(settings, &inspection.caller) {
        (watch.report)(&format!("using the role `{arn}` unchanged"));
        arn.to_owned()
    } else {
        let (role, changed) =
            role::ensure(cloud, settings, &inspection.caller, &tags, watch).await?;
        note(done, changed, format!("the role `{}`", role.name));
        role.arn
    };
    wait::check(watch)?;
    let warehouse = match settings.form {
        Form::Provisioned { .. } => {
            cluster(cloud, settings, &inspection, &role, &tags, watch, done).await?
        }
        Form::Serverless { .. } => {
            serverless_warehouse(cloud, settings, &inspection, &role, &tags, watch, done).await?
        }
    };
    if settings.public {
        allow_access(cloud, settings, &warehouse, &tags, watch, done).await?;
    }
    // A second inspection, so that the status shows the state after all steps.
    let inspection = Inspection::of(cloud, settings).await?;
    let rules =
        if settings.public { network::rules(cloud, &settings.name).await? } else { Vec::new() };
    Ok(Up {
        made: std::mem::take(&mut done.made),
        differences: plan::differences(settings, Some(&warehouse)),
        status: status_of(&inspection, &rules, settings, &cloud.region),
    })
}

fn note(done: &mut Progress, made: bool, what: String) {
    if made { done.made.push(what) } else { done.found.push(what) }
}

async fn cluster(
    cloud: &Cloud,
    settings: &ClusterSettings,
    inspection: &Inspection,
    role: &str,
    tags: &Tags,
    watch: &Watch,
    done: &mut Progress,
) -> Result<Resource, ClusterError> {
    let name = &settings.name;
    let mut found = inspection.warehouse.clone();
    if found.as_ref().is_some_and(|found| found.state == "deleting") {
        // The name is free only after the deletion has finished.
        provisioned::wait_until_deleted(cloud, settings, watch).await?;
        found = None;
    }
    if found.is_none() {
        (watch.report)(&format!("creating the cluster `{name}`"));
        provisioned::create(cloud, settings, role, tags, watch).await?;
    }
    note(done, found.is_none(), format!("the cluster `{name}`"));
    let cluster = provisioned::wait_until_available(cloud, settings, watch).await?;
    // Another user may have taken the name between inspection and creation.
    if !cluster.tags.belong_to(name) {
        return Err(ClusterError::Foreign { what: "the cluster", name: name.clone() });
    }
    if !cluster.roles.is_empty() && cluster.roles.iter().any(|found| found == role) {
        return Ok(cluster);
    }
    (watch.report)(&format!("attaching the role to the cluster `{name}`"));
    provisioned::attach(cloud, settings, role, watch).await?;
    note(done, true, format!("the role of the cluster `{name}`"));
    provisioned::wait_until_available(cloud, settings, watch).await
}

async fn serverless_warehouse(
    cloud: &Cloud,
    settings: &ClusterSettings,
    inspection: &Inspection,
    role: &str,
    tags: &Tags,
    watch: &Watch,
    done: &mut Progress,
) -> Result<Resource, ClusterError> {
    let name = &settings.name;
    let deleting = |part: &Option<Resource>| part.as_ref().is_some_and(|p| p.state == "deleting");
    let (mut workgroup, mut namespace) =
        (inspection.warehouse.clone(), inspection.namespace.clone());
    if deleting(&workgroup) {
        serverless::wait_until_deleted(cloud, Part::Workgroup, settings, watch).await?;
        workgroup = None;
    }
    if deleting(&namespace) {
        serverless::wait_until_deleted(cloud, Part::Namespace, settings, watch).await?;
        namespace = None;
    }
    if namespace.is_none() {
        (watch.report)(&format!("creating the namespace `{name}`"));
        serverless::create_namespace(cloud, settings, role, tags, watch).await?;
    }
    note(done, namespace.is_none(), format!("the namespace `{name}`"));
    serverless::wait_until_available(cloud, Part::Namespace, settings, watch).await?;
    if workgroup.is_none() {
        (watch.report)(&format!("creating the workgroup `{name}`"));
        serverless::create_workgroup(cloud, settings, tags, watch).await?;
    }
    note(done, workgroup.is_none(), format!("the workgroup `{name}`"));
    serverless::wait_until_available(cloud, Part::Workgroup, settings, watch).await
}

/// Allows one address range in the first security group of the warehouse.
async fn allow_access(
    cloud: &Cloud,
    settings: &ClusterSettings,
    warehouse: &Resource,
    tags: &Tags,
    watch: &Watch,
    done: &mut Progress,
) -> Result<(), ClusterError> {
    let Some(group) = warehouse.groups.first() else {
        return Err(ClusterError::cannot(
            format!("{} has no security group for the access rule", warehouse.noun()),
            "pass one with `--security-group sg-…`",
        ));
    };
    let rule = network::allow(cloud, settings, tags, group, watch).await?;
    if let Some(rule) = rule {
        note(done, true, format!("the rule for `{}` in `{}`", rule.cidr, rule.group));
    }
    Ok(())
}

impl FinalSnapshot {
    /// No final snapshot.
    pub const NONE: Self = Self(None);
}
