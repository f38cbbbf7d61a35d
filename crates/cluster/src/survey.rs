//! What is there? Everything of one name, looked at and not touched: cluster or namespace and workgroup, role, rules, snapshots, secrets.

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

/// How large it is.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Size {
    /// Nodes.
    Nodes {
        /// Their type.
        node_type: String,
        /// How many.
        nodes: i32,
    },
    /// A serverless capacity.
    Capacity {
        /// In RPU.
        units: i32,
    },
}

impl Size {
    /// As it was asked for.
    pub(super) fn wanted(form: &Form) -> Self {
        match form {
            Form::Provisioned { node_type, nodes } => {
                Self::Nodes { node_type: node_type.clone(), nodes: i32::from(*nodes) }
            }
            Form::Serverless { base_capacity } => {
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

/// A cluster, a namespace or a workgroup as it stands.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    pub(super) what: &'static str,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) tags: Tags,
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

impl Standing {
    /// It and its name, for people.
    pub(super) fn noun(&self) -> String {
        format!("{} `{}`", self.what, self.name)
    }
}

/// Everything of one name and form.
pub(super) struct Survey {
    pub caller: Caller,
    /// The cluster, or the workgroup.
    pub warehouse: Option<Standing>,
    pub namespace: Option<Standing>,
    pub role: Option<Role>,
}

impl Survey {
    pub(super) async fn take(
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
        let role = role::find(cloud, &settings.role_name).await?;
        Ok(Self { caller, warehouse, namespace, role })
    }

    /// Refuses to go on with what somebody else made.
    pub(super) fn check_ours(&self, settings: &ClusterSettings) -> Result<(), ClusterError> {
        for found in [&self.namespace, &self.warehouse].into_iter().flatten() {
            if !found.tags.are_ours(&settings.name) {
                return Err(ClusterError::Foreign { what: found.what, name: found.name.clone() });
            }
        }
        Ok(())
    }

    /// The role, if it is ours.
    pub(super) fn our_role(&self, settings: &ClusterSettings) -> Option<&Role> {
        self.role.as_ref().filter(|role| role.tags.are_ours(&settings.name))
    }
}

/// A part as people and programs are told of it.
#[derive(Debug, Clone, Serialize)]
pub struct PartStatus {
    /// cluster, namespace, workgroup or role.
    pub what: String,
    /// Its name.
    pub name: String,
    /// Its state, in the words of AWS.
    pub state: String,
    /// Whether this program made it.
    pub ours: bool,
}

/// What is there by now.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
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
    /// Whether it can be used.
    pub available: bool,
    /// What it consists of.
    pub parts: Vec<PartStatus>,
    /// How large it is.
    pub size: Option<Size>,
    /// Where it listens.
    pub host: Option<String>,
    /// Where it listens.
    pub port: Option<i32>,
    /// The database.
    pub database: Option<String>,
    /// The administrator.
    pub user: Option<String>,
    /// The secret that holds the administrator's password; never the password.
    pub secret_arn: Option<String>,
    /// The role that reads the bucket.
    pub role_arn: Option<String>,
    /// Whether it can be reached from outside its network.
    pub public: Option<bool>,
    /// Whether it is encrypted.
    pub encrypted: Option<bool>,
    /// Who is let through, by rules of ours.
    pub allowed: Vec<String>,
    /// When it was created.
    pub created: Option<String>,
    /// When it should be gone.
    pub expires: Option<String>,
    /// Whether that is past.
    pub expired: bool,
    /// What it costs.
    pub cost: Option<Estimate>,
}

/// What is there by now.
pub(super) async fn status(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<Status, ClusterError> {
    let survey = Survey::take(cloud, settings).await?;
    let rules = if survey.warehouse.as_ref().and_then(|found| found.public) == Some(true) {
        network::rules(cloud, &settings.name).await?
    } else {
        Vec::new()
    };
    super::patience::check(watch)?;
    Ok(told(&survey, &rules, settings, &cloud.region))
}

pub(super) fn told(
    survey: &Survey,
    rules: &[Rule],
    settings: &ClusterSettings,
    region: &str,
) -> Status {
    let found = survey.warehouse.as_ref();
    // The namespace knows the administrator and the role, the workgroup the endpoint.
    let holder = survey.namespace.as_ref().or(found);
    let ours = |tags: &Tags| tags.are_ours(&settings.name);
    let standing = [&survey.namespace, &survey.warehouse].into_iter().flatten();
    let mut parts: Vec<PartStatus> = standing
        .map(|part| PartStatus {
            what: part.what.trim_start_matches("the ").into(),
            name: part.name.clone(),
            state: part.state.clone(),
            ours: ours(&part.tags),
        })
        .collect();
    parts.extend(survey.role.as_ref().map(|role| PartStatus {
        what: "role".into(),
        name: role.name.clone(),
        state: "there".into(),
        ours: ours(&role.tags),
    }));
    let created = found.and_then(|found| found.created.or_else(|| found.tags.created()));
    let expires = holder.and_then(|found| found.tags.expires());
    Status {
        name: settings.name.clone(),
        form: form_name(&settings.form),
        region: region.to_owned(),
        account: survey.caller.account.clone(),
        caller: survey.caller.arn.clone(),
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
        created: created.map(tags::written),
        expired: expires.is_some_and(|moment| moment < OffsetDateTime::now_utc()),
        expires: expires.map(tags::written),
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

/// Something that is still there.
#[derive(Debug, Clone, Serialize)]
pub struct Leftover {
    /// What it is.
    pub what: String,
    /// Its name.
    pub name: String,
    /// Whether it was asked to stay, as the final snapshot of this very run.
    pub wanted: bool,
}

/// Everything of this name that is still there, in either form.
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
        match look_at(cloud, serverless, name).await {
            Ok(things) => {
                for (what, thing) in things {
                    let wanted = kept.0.as_deref() == Some(thing.as_str());
                    push(what, &thing, wanted);
                }
            }
            Err(error) if serverless == is_serverless => return Err(error),
            // The form that was not asked for: who has no right to look made none either.
            Err(error) => (watch.say)(&format!("not looked at: {error}")),
        }
    }
    if let Some(role) = role::find(cloud, &settings.role_name).await?
        && role.tags.are_ours(name)
    {
        for policy in role::policies(cloud, &role.name).await? {
            push("policy of the role", &policy, false);
        }
        push("role", &role.name, false);
    }
    for rule in network::rules(cloud, name).await? {
        push("rule of a security group", &format!("{} in {}", rule.cidr, rule.group), false);
    }
    let secret = format!("redshift!{name}-{}", settings.user);
    for (found, _) in cloud.signed.secrets(&secret).await? {
        if found == secret {
            push("secret", &found, false);
        }
    }
    Ok(found)
}

/// What of ours stands in the form that was not asked for, and may use the role. Who has no right to look made nothing there.
pub(super) async fn other_form(cloud: &Cloud, settings: &ClusterSettings) -> Option<Standing> {
    let name = &settings.name;
    let found = match settings.form {
        Form::Provisioned { .. } => serverless::find(cloud, Part::Namespace, name).await,
        Form::Serverless { .. } => provisioned::find(cloud, name).await,
    };
    found.ok().flatten().filter(|found| found.tags.are_ours(name))
}

async fn look_at(
    cloud: &Cloud,
    serverless: bool,
    name: &str,
) -> Result<Vec<(&'static str, String)>, ClusterError> {
    let mut found = Vec::new();
    let mut push = |standing: Option<Standing>| {
        let ours = standing.filter(|standing| standing.tags.are_ours(name));
        found.extend(ours.map(|ours| (ours.what.trim_start_matches("the "), ours.name)));
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
