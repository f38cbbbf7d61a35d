//! `cluster up`: role, cluster (or namespace and workgroup), wait, security group rule.
//!
//! Each step inspects the resource first and creates it only if it is missing. A second run changes
//! only tags: `--ttl` counts from the last `up`. A run after an interruption continues where it
//! stopped.

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

/// Resources that a run has created and found so far, and its warnings.
#[derive(Default)]
struct Progress {
    made: Vec<String>,
    found: Vec<String>,
    warnings: Vec<String>,
}

/// Parameters of all steps.
struct Run<'a> {
    cloud: &'a Cloud,
    settings: &'a ClusterSettings,
    watch: &'a Watch,
    /// Resources before the first step.
    inspection: &'a Inspection,
    tags: &'a Tags,
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
    let inspection = &Inspection::of(cloud, settings).await?;
    inspection.check_ownership(settings)?;
    plan::check_role(cloud, settings, inspection).await?;
    let owner = &inspection.caller.arn;
    let tags = &Tags::new(settings, owner, &cloud.region, inspection.tags());
    let run = Run { cloud, settings, watch, inspection, tags };
    // The role comes first: the warehouse is created with it.
    let role = run.role(done).await?;
    wait::check(watch)?;
    let warehouse = match settings.form {
        Form::Provisioned { .. } => run.cluster(&role, done).await?,
        Form::Serverless { .. } => run.serverless(&role, done).await?,
    };
    if settings.public {
        allow_access(cloud, settings, &warehouse, tags, watch, done).await?;
    }
    // A second inspection, so that the status shows the state after all steps.
    let inspection = Inspection::of(cloud, settings).await?;
    let rules =
        if settings.public { network::rules(cloud, &settings.name).await? } else { Vec::new() };
    let differences = plan::differences(settings, inspection.warehouse.as_ref());
    Ok(Up {
        made: std::mem::take(&mut done.made),
        differences: [std::mem::take(&mut done.warnings), differences].concat(),
        status: status_of(&inspection, &rules, settings, &cloud.region),
    })
}

fn note(done: &mut Progress, made: bool, what: String) {
    if made { done.made.push(what) } else { done.found.push(what) }
}

impl Run<'_> {
    /// Returns the ARN of the role, which is created if it is missing and not external.
    async fn role(&self, done: &mut Progress) -> Result<String, ClusterError> {
        let Self { cloud, settings, watch, inspection, tags } = self;
        let caller = &inspection.caller;
        if let Some(arn) = role::external_role(settings, caller, &cloud.region) {
            (watch.report)(&format!("using the role `{arn}` unchanged"));
            return Ok(arn.to_owned());
        }
        let found = inspection.role.as_ref();
        let (role, changed) = role::ensure(cloud, settings, caller, found, tags, watch).await?;
        note(done, changed, format!("the role `{}`", role.name));
        Ok(role.arn)
    }

    async fn cluster(&self, role: &str, done: &mut Progress) -> Result<Resource, ClusterError> {
        let Self { cloud, settings, watch, inspection, tags } = self;
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
        if let Some(update) = tags.update_of(&cluster.tags) {
            (watch.report)(&format!("updating the tags of the cluster `{name}`"));
            let caller = &inspection.caller;
            provisioned::write_tags(cloud, settings, caller, &update, watch).await?;
        }
        if cluster.roles.iter().any(|found| found == role) {
            return Ok(cluster);
        }
        (watch.report)(&format!("attaching the role to the cluster `{name}`"));
        provisioned::attach(cloud, settings, role, watch).await?;
        note(done, true, format!("the role of the cluster `{name}`"));
        provisioned::wait_until_available(cloud, settings, watch).await
    }

    async fn serverless(&self, role: &str, done: &mut Progress) -> Result<Resource, ClusterError> {
        let Self { cloud, settings, watch, inspection, tags } = self;
        let name = &settings.name;
        let deleting =
            |part: &Option<Resource>| part.as_ref().is_some_and(|p| p.state == "deleting");
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
        self.finish_part(Part::Namespace).await?;
        if workgroup.is_none() {
            (watch.report)(&format!("creating the workgroup `{name}`"));
            serverless::create_workgroup(cloud, settings, tags, watch).await?;
        }
        note(done, workgroup.is_none(), format!("the workgroup `{name}`"));
        let workgroup = self.finish_part(Part::Workgroup).await?;
        self.limit_usage(&workgroup, done).await?;
        Ok(workgroup)
    }

    /// Waits for a namespace or workgroup, and updates its tags.
    async fn finish_part(&self, part: Part) -> Result<Resource, ClusterError> {
        let Self { cloud, settings, watch, tags, .. } = self;
        let found = serverless::wait_until_available(cloud, part, settings, watch).await?;
        if let Some((arn, update)) = found.arn.as_ref().zip(tags.update_of(&found.tags)) {
            (watch.report)(&format!("updating the tags of {}", found.noun()));
            serverless::write_tags(cloud, arn, &update).await?;
        }
        Ok(found)
    }

    /// Sets the usage limit. IAM cannot restrict this permission to one workgroup, so an identity
    /// may lack it; the maximum capacity then still bounds the cost per hour.
    async fn limit_usage(
        &self,
        workgroup: &Resource,
        done: &mut Progress,
    ) -> Result<(), ClusterError> {
        let Form::Serverless { usage_limit: Some(hours), .. } = self.settings.form else {
            return Ok(());
        };
        let Some(arn) = &workgroup.arn else { return Ok(()) };
        match serverless::limit_usage(self.cloud, arn, hours).await {
            Ok(set) => {
                note(done, set, format!("the limit of {hours} RPU-hours per day"));
                Ok(())
            }
            Err(error) if error.is_permission() => {
                let warning = format!("no usage limit is set: {error}");
                done.warnings.push(warning);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
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
