//! `cluster reap`: deletes the resources with sparkify's tags, of any name, that are past their
//! expiry tag. Suitable for cron.
//!
//! Each part is judged by its own tag: a warehouse without expiry is kept, whatever the tags of
//! other parts say, and with it the role and the security group rules that it uses. A serverless
//! warehouse expires when both its workgroup and its namespace have expired. A role is deleted only
//! if it has expired in this region and no other region uses it.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::cloud::Cloud;
use super::inspect::{Inspection, Resource};
use super::role::Role;
use super::tags::{self, Tags};
use super::{ClusterError, FinalSnapshot, Watch, down, provisioned, role, serverless};
use sparkify_config::{ClusterSettings, Form};

/// Expired parts of a project.
#[derive(Debug, Clone, Serialize)]
pub struct Expired {
    /// Name of the project.
    pub name: String,
    /// Time of expiry.
    pub expired: String,
    /// Expired resources.
    pub parts: Vec<String>,
    /// Deleted resources.
    pub deleted: Vec<String>,
    /// Error that prevented the deletion.
    pub failed: Option<String>,
}

/// Result of `reap`.
#[derive(Debug, Clone, Serialize)]
pub struct Reaped {
    /// Projects with expired parts.
    pub expired: Vec<Expired>,
    /// Names of projects without expired parts.
    pub kept: Vec<String>,
}

/// Resources of one project.
#[derive(Default)]
struct Project {
    cluster: Vec<Resource>,
    /// Namespace and workgroup.
    serverless: Vec<Resource>,
    roles: Vec<Role>,
}

/// Parts of a project that are past their expiry.
#[derive(Default)]
struct ExpiredParts {
    cluster: bool,
    serverless: bool,
    /// True if no warehouse of the project is left after the deletion.
    whole: bool,
    roles: Vec<ExpiredRole>,
    parts: Vec<String>,
    expired: Option<OffsetDateTime>,
}

/// Role that is past its expiry in this region.
struct ExpiredRole {
    role: Role,
    /// Other regions that use it. It is kept as long as there are any.
    others: Vec<String>,
}

impl Project {
    async fn expired_parts(
        self,
        cloud: &Cloud,
        watch: &Watch,
    ) -> Result<ExpiredParts, ClusterError> {
        let mut found = ExpiredParts {
            cluster: has_expired(&self.cluster),
            serverless: has_expired(&self.serverless),
            ..ExpiredParts::default()
        };
        found.whole = (found.cluster || self.cluster.is_empty())
            && (found.serverless || self.serverless.is_empty());
        let kinds = [(found.cluster, &self.cluster), (found.serverless, &self.serverless)];
        let past = kinds.into_iter().filter(|(has_expired, _)| *has_expired);
        for part in past.flat_map(|(_, parts)| parts) {
            found.expired = found.expired.max(part.tags.expires());
            found.parts.push(part.noun());
        }
        for role in self.roles {
            let expires = role_expiry(&role, &cloud.region);
            if !found.whole || !is_past(expires) {
                continue;
            }
            let others = match role::users_elsewhere(cloud, &role, watch).await {
                Ok(others) => others,
                Err(error @ ClusterError::Interrupted { .. }) => return Err(error),
                Err(error) => {
                    (watch.report)(&format!("keeping the role `{}`: {error}", role.name));
                    continue;
                }
            };
            if others.is_empty() {
                found.expired = found.expired.max(expires);
                found.parts.push(format!("the role `{}`", role.name));
            }
            found.roles.push(ExpiredRole { role, others });
        }
        Ok(found)
    }
}

/// Returns true if all parts of a warehouse are past their expiry.
fn has_expired(parts: &[Resource]) -> bool {
    !parts.is_empty() && parts.iter().all(|part| is_past(part.tags.expires()))
}

fn is_past(expires: Option<OffsetDateTime>) -> bool {
    expires.is_some_and(|moment| moment < OffsetDateTime::now_utc())
}

/// Returns the expiry of a role in this region; that of a role of version 0.1 holds in all regions.
fn role_expiry(role: &Role, region: &str) -> Option<OffsetDateTime> {
    let used_in = role.tags.used_in();
    if used_in.is_empty() { role.tags.expires() } else { used_in.get(region).copied().flatten() }
}

pub(super) async fn reap(
    cloud: &Cloud,
    settings: &ClusterSettings,
    act: bool,
    watch: &Watch,
) -> Result<Reaped, ClusterError> {
    let mut reaped = Reaped { expired: Vec::new(), kept: Vec::new() };
    for (name, project) in projects(cloud, watch).await? {
        let parts = project.expired_parts(cloud, watch).await?;
        let Some(moment) = parts.expired else {
            if act {
                release_roles(cloud, settings, &parts.roles, watch, &mut Vec::new()).await?;
            }
            reaped.kept.push(name);
            continue;
        };
        let mut expired = Expired {
            expired: tags::format_time(moment),
            parts: parts.parts.clone(),
            deleted: Vec::new(),
            failed: None,
            name,
        };
        if act {
            let deleted = &mut expired.deleted;
            match delete(cloud, settings, &expired.name, &parts, watch, deleted).await {
                Ok(()) => {}
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
    for cluster in provisioned::all(cloud).await? {
        project(&mut projects, &cluster.tags).cluster.push(cluster);
    }
    match serverless::all(cloud).await {
        Ok(parts) => {
            for part in parts {
                project(&mut projects, &part.tags).serverless.push(part);
            }
        }
        Err(error) => (watch.report)(&format!("not checked: {error}")),
    }
    for role in role::all(cloud).await? {
        let used_in = role.tags.used_in();
        // Skips roles that only other regions use.
        if used_in.is_empty() || used_in.contains_key(cloud.region.as_str()) {
            project(&mut projects, &role.tags).roles.push(role);
        }
    }
    Ok(projects)
}

fn project<'a>(projects: &'a mut BTreeMap<String, Project>, tags: &Tags) -> &'a mut Project {
    projects.entry(tags.project().unwrap_or_default().to_owned()).or_default()
}

async fn delete(
    cloud: &Cloud,
    settings: &ClusterSettings,
    name: &str,
    expired: &ExpiredParts,
    watch: &Watch,
    deleted: &mut Vec<String>,
) -> Result<(), ClusterError> {
    let serverless = Form::Serverless { base_capacity: 8, max_capacity: 8, usage_limit: None };
    let provisioned = Form::Provisioned { node_type: String::new(), nodes: 1 };
    let forms = [(expired.cluster, provisioned), (expired.serverless, serverless)];
    let mut warehouses = Vec::new();
    for (_, form) in forms.into_iter().filter(|(expired, _)| *expired) {
        let settings = ClusterSettings { name: name.to_owned(), form, ..settings.clone() };
        let found = Inspection::of(cloud, &settings).await?;
        let has_expired = |part: &Option<Resource>| {
            part.as_ref()
                .is_none_or(|part| part.tags.belong_to(name) && is_past(part.tags.expires()))
        };
        if ![&found.warehouse, &found.namespace].into_iter().all(has_expired) {
            // Another run has prolonged its life since the listing.
            (watch.report)(&format!("keeping `{name}`: its life was prolonged"));
            return Ok(());
        }
        warehouses.push((settings, found));
    }
    // Rules are tagged with the project only, so they stay as long as a warehouse does.
    if expired.whole {
        down::rules(cloud, name, watch, deleted).await?;
    }
    for (settings, found) in &warehouses {
        down::warehouse(cloud, settings, found, &FinalSnapshot::NONE, watch, deleted).await?;
    }
    release_roles(cloud, settings, &expired.roles, watch, deleted).await
}

/// Deletes the roles that no other region uses.
async fn release_roles(
    cloud: &Cloud,
    settings: &ClusterSettings,
    roles: &[ExpiredRole],
    watch: &Watch,
    deleted: &mut Vec<String>,
) -> Result<(), ClusterError> {
    for ExpiredRole { role, others } in roles {
        if role::release(cloud, settings, role, others, watch).await? {
            deleted.push(format!("the role `{}`", role.name));
        }
    }
    Ok(())
}
