//! Read-only inspection of all resources of one name: cluster, or namespace and workgroup, role,
//! rules, snapshots and secrets.

use serde::Serialize;
use time::OffsetDateTime;

use super::cloud::{Caller, Cloud};
use super::cost::{Estimate, estimate};
use super::network::{self, Rule};
use super::role::{self, Role};
use super::serverless::{self, Part};
use super::tags::{self, Tags};
use super::{ClusterError, FinalSnapshot, Watch, provisioned};
use sparkify_config::{ClusterSettings, Form};

/// Size of a warehouse.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Size {
    /// Nodes of a provisioned cluster.
    Nodes {
        /// Node type, such as `ra3.large`.
        node_type: String,
        /// Number of nodes.
        nodes: i32,
    },
    /// Base capacity of a serverless workgroup.
    Capacity {
        /// Redshift processing units (RPU).
        units: i32,
    },
}

impl Size {
    /// Returns the size in the settings.
    pub(super) fn requested(form: &Form) -> Self {
        match form {
            Form::Provisioned { node_type, nodes } => {
                Self::Nodes { node_type: node_type.clone(), nodes: i32::from(*nodes) }
            }
            Form::Serverless { base_capacity, .. } => {
                Self::Capacity { units: i32::from(*base_capacity) }
            }
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nodes { node_type, nodes } => write!(f, "{nodes} x {node_type}"),
            Self::Capacity { units } => write!(f, "{units} RPU"),
        }
    }
}

/// An existing cluster, namespace or workgroup.
#[derive(Debug, Clone, Default)]
pub struct Resource {
    pub(super) what: &'static str,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) tags: Tags,
    /// ARN that tags are written with; none for a cluster, whose ARN follows from its name.
    pub(super) arn: Option<String>,
    pub(super) created: Option<OffsetDateTime>,
    pub(super) host: Option<String>,
    pub(super) port: Option<i32>,
    pub(super) size: Option<Size>,
    pub(super) groups: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) secret: Option<String>,
    pub(super) database: Option<String>,
    pub(super) user: Option<String>,
    pub(super) public: Option<bool>,
    pub(super) encrypted: Option<bool>,
}

impl Resource {
    /// Returns kind and name, for messages.
    pub(super) fn noun(&self) -> String {
        format!("{} `{}`", self.what, self.name)
    }
}

/// Existing resources of one name and form.
pub(super) struct Inspection {
    pub caller: Caller,
    /// Cluster or workgroup.
    pub warehouse: Option<Resource>,
    pub namespace: Option<Resource>,
    pub role: Option<Role>,
}

impl Inspection {
    /// Looks up the resources.
    pub(super) async fn of(
        cloud: &Cloud,
        settings: &ClusterSettings,
    ) -> Result<Self, ClusterError> {
        let caller = cloud.caller().await?;
        let name = &settings.name;
        let (warehouse, namespace) = match settings.form {
            Form::Provisioned { .. } => (provisioned::find(cloud, name).await?, None),
            Form::Serverless { .. } => (
                serverless::find(cloud, Part::Workgroup, name).await?,
                serverless::find(cloud, Part::Namespace, name).await?,
            ),
        };
        let role = role::of_warehouse(cloud, settings).await?;
        Ok(Self { caller, warehouse, namespace, role })
    }

    /// Refuses to continue with resources that sparkify did not create.
    pub(super) fn check_ownership(&self, settings: &ClusterSettings) -> Result<(), ClusterError> {
        for found in [&self.namespace, &self.warehouse].into_iter().flatten() {
            if !found.tags.belong_to(&settings.name) {
                return Err(ClusterError::Foreign { what: found.what, name: found.name.clone() });
            }
        }
        Ok(())
    }

    /// Returns the tags of the warehouse, or of the namespace of an incomplete one; none if it is
    /// being deleted: a new warehouse does not inherit its expiry.
    pub(super) fn tags(&self) -> Option<&Tags> {
        let found = self.warehouse.as_ref().or(self.namespace.as_ref());
        found.filter(|found| found.state != "deleting").map(|found| &found.tags)
    }

    /// Returns the role if sparkify manages it.
    pub(super) fn managed_role(&self, settings: &ClusterSettings) -> Option<&Role> {
        self.role.as_ref().filter(|role| role.tags.belong_to(&settings.name))
    }
}

/// State of one resource.
#[derive(Debug, Clone, Serialize)]
pub struct PartStatus {
    /// `cluster`, `namespace`, `workgroup` or `role`.
    pub what: String,
    /// Name of the resource.
    pub name: String,
    /// State as reported by AWS.
    pub state: String,
    /// True if sparkify created it.
    #[serde(rename = "ours")]
    pub is_managed: bool,
}

/// State of a warehouse and its resources.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
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
    /// True if the warehouse accepts connections.
    pub available: bool,
    /// Existing resources.
    pub parts: Vec<PartStatus>,
    /// Size of the cluster or workgroup.
    pub size: Option<Size>,
    /// Host of the endpoint.
    pub host: Option<String>,
    /// Port of the endpoint.
    pub port: Option<i32>,
    /// Name of the database.
    pub database: Option<String>,
    /// User name of the administrator.
    pub user: Option<String>,
    /// ARN of the secret with the administrator's password; the password is never read.
    pub secret_arn: Option<String>,
    /// ARN of the role that reads the bucket.
    pub role_arn: Option<String>,
    /// True if it is reachable from outside its VPC.
    pub public: Option<bool>,
    /// True if the data is encrypted at rest.
    pub encrypted: Option<bool>,
    /// Address ranges allowed by sparkify's rules.
    pub allowed: Vec<String>,
    /// Creation time.
    pub created: Option<String>,
    /// Expiry time.
    pub expires: Option<String>,
    /// True if the expiry time is past.
    pub expired: bool,
    /// Cost estimate.
    pub cost: Option<Estimate>,
}

/// Returns the state of a warehouse and its resources.
pub(super) async fn status(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<Status, ClusterError> {
    let found = Inspection::of(cloud, settings).await?;
    let rules = if found.warehouse.as_ref().and_then(|warehouse| warehouse.public) == Some(true) {
        network::rules(cloud, &settings.name).await?
    } else {
        Vec::new()
    };
    super::wait::check(watch)?;
    Ok(status_of(&found, &rules, settings, &cloud.region))
}

/// Builds the status from an inspection.
pub(super) fn status_of(
    inspection: &Inspection,
    rules: &[Rule],
    settings: &ClusterSettings,
    region: &str,
) -> Status {
    let found = inspection.warehouse.as_ref();
    // The namespace has the administrator and the role; the workgroup has the endpoint.
    let holder = inspection.namespace.as_ref().or(found);
    let is_managed = |tags: &Tags| tags.belong_to(&settings.name);
    let resources = [&inspection.namespace, &inspection.warehouse].into_iter().flatten();
    let mut parts: Vec<PartStatus> = resources
        .map(|part| PartStatus {
            what: part.what.trim_start_matches("the ").into(),
            name: part.name.clone(),
            state: part.state.clone(),
            is_managed: is_managed(&part.tags),
        })
        .collect();
    parts.extend(inspection.role.as_ref().map(|role| PartStatus {
        what: "role".into(),
        name: role.name.clone(),
        state: "exists".into(),
        is_managed: is_managed(&role.tags),
    }));
    let created = found.and_then(|found| found.created.or_else(|| found.tags.created()));
    let expires = holder.and_then(|found| found.tags.expires());
    Status {
        name: settings.name.clone(),
        form: form_name(&settings.form),
        region: region.to_owned(),
        account: inspection.caller.account.clone(),
        caller: inspection.caller.arn.clone(),
        available: found.is_some_and(|found| found.state == "available"),
        parts,
        size: found.and_then(|found| found.size.clone()),
        host: found.and_then(|found| found.host.clone()),
        port: found.and_then(|found| found.port),
        database: holder.and_then(|found| found.database.clone()),
        user: holder.and_then(|found| found.user.clone()),
        secret_arn: holder.and_then(|found| found.secret.clone()),
        role_arn: holder.and_then(|found| found.roles.first().cloned()),
        public: found.and_then(|found| found.public),
        encrypted: found.and_then(|found| found.encrypted),
        allowed: rules.iter().map(|rule| rule.cidr.clone()).collect(),
        created: created.map(tags::format_time),
        expired: expires.is_some_and(|moment| moment < OffsetDateTime::now_utc()),
        expires: expires.map(tags::format_time),
        cost: found
            .and_then(|found| found.size.as_ref())
            .map(|size| estimate(size, region, created)),
    }
}

pub(super) fn form_name(form: &Form) -> &'static str {
    match form {
        Form::Provisioned { .. } => "provisioned",
        Form::Serverless { .. } => "serverless",
    }
}

/// Resource that still exists after `down`.
#[derive(Debug, Clone, Serialize)]
pub struct Leftover {
    /// Kind of resource.
    pub what: String,
    /// Name of the resource.
    pub name: String,
    /// True if the user requested it: the final snapshot of this run.
    pub wanted: bool,
}

/// Returns all resources of this name that still exist, in either form.
pub(super) async fn leftovers(
    cloud: &Cloud,
    settings: &ClusterSettings,
    kept: &FinalSnapshot,
    watch: &Watch,
) -> Result<Vec<Leftover>, ClusterError> {
    let mut found = Vec::new();
    let name = &settings.name;
    let mut push = |what: &str, name: &str, wanted| {
        found.push(Leftover { what: what.into(), name: name.into(), wanted });
    };
    let is_serverless = matches!(settings.form, Form::Serverless { .. });
    for serverless in [false, true] {
        match resources_of_form(cloud, serverless, name).await {
            Ok(resources) => {
                for (what, resource) in resources {
                    let wanted = kept.0.as_deref() == Some(resource.as_str());
                    push(what, &resource, wanted);
                }
            }
            Err(error) if serverless == is_serverless => return Err(error),
            // An identity without permission to list the other form cannot have created it.
            Err(error) => (watch.report)(&format!("not checked: {error}")),
        }
    }
    let role = role::of_warehouse(cloud, settings).await?;
    let is_left = |role: &Role| {
        let users = role.tags.used_in();
        // A role that only other regions use is no leftover of this one.
        role.tags.belong_to(name) && (users.is_empty() || users.contains_key(cloud.region.as_str()))
    };
    if let Some(role) = role.filter(is_left) {
        for policy in role::policies(cloud, &role.name).await? {
            push("policy of the role", &policy, false);
        }
        push("role", &role.name, false);
    }
    for rule in network::rules(cloud, name).await? {
        push("security group rule", &format!("{} in {}", rule.cidr, rule.group), false);
    }
    let secret = format!("redshift!{name}-{}", settings.user);
    for (found, _) in cloud.signed.secrets(&secret).await? {
        if found == secret {
            push("secret", &found, false);
        }
    }
    Ok(found)
}

/// Returns the warehouse of this name in the other form, which may use the same role. An identity
/// without permission to list the other form cannot have created it.
pub(super) async fn other_form(cloud: &Cloud, settings: &ClusterSettings) -> Option<Resource> {
    let name = &settings.name;
    let found = match settings.form {
        Form::Provisioned { .. } => serverless::find(cloud, Part::Namespace, name).await,
        Form::Serverless { .. } => provisioned::find(cloud, name).await,
    };
    found.ok().flatten().filter(|found| found.tags.belong_to(name))
}

async fn resources_of_form(
    cloud: &Cloud,
    serverless: bool,
    name: &str,
) -> Result<Vec<(&'static str, String)>, ClusterError> {
    let mut found = Vec::new();
    let mut push = |resource: Option<Resource>| {
        let managed = resource.filter(|resource| resource.tags.belong_to(name));
        found.extend(managed.map(|it| (it.what.trim_start_matches("the "), it.name)));
    };
    if serverless {
        push(serverless::find(cloud, Part::Workgroup, name).await?);
        push(serverless::find(cloud, Part::Namespace, name).await?);
        let snapshots = serverless::snapshots(cloud, name).await?;
        found.extend(snapshots.into_iter().map(|snapshot| ("snapshot", snapshot)));
    } else {
        push(provisioned::find(cloud, name).await?);
        for (manual, snapshot) in provisioned::snapshots(cloud, name).await? {
            found.push((if manual { "snapshot" } else { "automated snapshot" }, snapshot));
        }
    }
    Ok(found)
}
