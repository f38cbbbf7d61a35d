//! `cluster reap`: deletes all resources with sparkify's tags, of any name, that are past their
//! expiry tag. Suitable for cron.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use time::OffsetDateTime;

use super::cloud::Cloud;
use super::tags::{self, Tags};
use super::{ClusterError, FinalSnapshot, Watch, down, provisioned, role, serverless};
use sparkify_config::{ClusterSettings, Form};

/// Project past its time to live.
#[derive(Debug, Clone, Serialize)]
pub struct Expired {
    /// Name of the project.
    pub name: String,
    /// Time of expiry.
    pub expired: String,
    /// Existing resources.
    pub parts: Vec<String>,
    /// Deleted resources.
    pub deleted: Vec<String>,
    /// Error that prevented the deletion.
    pub failed: Option<String>,
}

/// Result of `reap`.
#[derive(Debug, Clone, Serialize)]
pub struct Reaped {
    /// Expired projects.
    pub expired: Vec<Expired>,
    /// Names of projects that are not expired.
    pub kept: Vec<String>,
}

/// Resources of one project.
#[derive(Default)]
struct Project {
    expires: Option<OffsetDateTime>,
    /// Forms of its warehouses: true for serverless.
    forms: BTreeSet<bool>,
    roles: Vec<String>,
    parts: Vec<String>,
}

pub(super) async fn reap(
    cloud: &Cloud,
    settings: &ClusterSettings,
    act: bool,
    watch: &Watch,
) -> Result<Reaped, ClusterError> {
    let mut reaped = Reaped { expired: Vec::new(), kept: Vec::new() };
    for (name, project) in projects(cloud, watch).await? {
        let over = project.expires.filter(|moment| *moment < OffsetDateTime::now_utc());
        let Some(moment) = over else {
            reaped.kept.push(name);
            continue;
        };
        let mut expired = Expired {
            expired: tags::format_time(moment),
            parts: project.parts.clone(),
            deleted: Vec::new(),
            failed: None,
            name,
        };
        if act {
            match delete(cloud, settings, &expired.name, &project, watch).await {
                Ok(deleted) => expired.deleted = deleted,
                Err(error @ ClusterError::Interrupted { .. }) => return Err(error),
                // A failure must not prevent the deletion of other projects.
                Err(error) => expired.failed = Some(error.to_string()),
            }
        }
        reaped.expired.push(expired);
    }
    Ok(reaped)
}

async fn projects(cloud: &Cloud, watch: &Watch) -> Result<BTreeMap<String, Project>, ClusterError> {
    let mut projects: BTreeMap<String, Project> = BTreeMap::new();
    let mut note = |tags: &Tags, part: String, form: Option<bool>, role: Option<String>| {
        let project = projects.entry(tags.project().unwrap_or_default().to_owned()).or_default();
        // Resources may have been tagged by different runs: the latest expiry applies.
        project.expires = project.expires.max(tags.expires());
        project.forms.extend(form);
        project.roles.extend(role);
        project.parts.push(part);
    };
    for cluster in provisioned::all(cloud).await? {
        note(&cluster.tags, cluster.noun(), Some(false), None);
    }
    match serverless::all(cloud).await {
        Ok(parts) => {
            for part in parts {
                note(&part.tags, part.noun(), Some(true), None);
            }
        }
        Err(error) => (watch.report)(&format!("not checked: {error}")),
    }
    for role in role::all(cloud).await? {
        note(&role.tags, format!("the role `{}`", role.name), None, Some(role.name));
    }
    Ok(projects)
}

async fn delete(
    cloud: &Cloud,
    settings: &ClusterSettings,
    name: &str,
    project: &Project,
    watch: &Watch,
) -> Result<Vec<String>, ClusterError> {
    let mut deleted = Vec::new();
    let forms =
        if project.forms.is_empty() { BTreeSet::from([false]) } else { project.forms.clone() };
    for serverless in forms {
        let form = if serverless {
            Form::Serverless { base_capacity: 8 }
        } else {
            Form::Provisioned { node_type: String::new(), nodes: 1 }
        };
        // `down` deletes one role; further roles are deleted below.
        let role_name = project.roles.first().cloned().unwrap_or_else(|| format!("{name}-s3"));
        let settings = ClusterSettings {
            name: name.to_owned(),
            form,
            role_name,
            role_arn: None,
            ..settings.clone()
        };
        let down = down::down(cloud, &settings, &FinalSnapshot::NONE, watch).await?;
        deleted.extend(down.deleted);
    }
    for role in project.roles.iter().skip(1) {
        role::delete(cloud, settings, role, watch).await?;
        deleted.push(format!("the role `{role}`"));
    }
    Ok(deleted)
}
