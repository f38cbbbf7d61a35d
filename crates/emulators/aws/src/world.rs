//! What there is, and how it behaves.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Refusal, refuse};

/// How the emulator behaves.
#[derive(Debug, Clone)]
pub struct Manners {
    /// How many looks a creation or a deletion takes.
    pub looks: u32,
    /// How many uses of a new role are refused.
    pub invisible: u32,
    /// The state in which a creation ends.
    pub created: &'static str,
    /// A creation that never ends.
    pub endless: bool,
    /// How many clusters there may be.
    pub quota: usize,
    /// An automated snapshot and a secret stay behind when a cluster goes.
    pub leaves: bool,
    /// The role's simulator may not be asked.
    pub no_simulator: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            looks: 2,
            invisible: 2,
            created: "available",
            endless: false,
            quota: 3,
            leaves: false,
            no_simulator: false,
        }
    }
}

/// Tags.
pub(crate) type Tags = BTreeMap<String, String>;

/// A state that takes a while.
#[derive(Debug, Clone)]
pub struct Life {
    /// Now.
    pub state: String,
    /// After so many looks more …
    pub looks: u32,
    /// … this.
    pub next: String,
}

impl Life {
    pub(crate) fn begin(state: &str, looks: u32, next: &str) -> Self {
        Self { state: state.into(), looks, next: next.into() }
    }

    /// Somebody looks. What comes next when the time is over may be the end, `gone`.
    pub(crate) fn look(&mut self) {
        if self.looks == 0 {
            self.state.clone_from(&self.next);
        }
        self.looks = self.looks.saturating_sub(1);
    }
}

/// A cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its state.
    pub life: Life,
    /// What it was created with.
    pub node_type: String,
    /// How many nodes.
    pub nodes: i64,
    /// The administrator.
    pub user: String,
    /// The first database.
    pub database: String,
    /// Where it listens.
    pub port: i64,
    /// Whether it may be reached from outside.
    pub public: bool,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its group.
    pub group: String,
    /// The name of the secret that holds its password.
    pub secret: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub created: OffsetDateTime,
}

/// A namespace or a workgroup: its state, and its fields as JSON.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its state.
    pub life: Life,
    /// Its fields.
    pub fields: Value,
    /// Its tags.
    pub tags: Tags,
}

/// A role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Where it lies.
    pub path: String,
    /// Who may take it on.
    pub trust: String,
    /// What stands in it.
    pub policies: BTreeMap<String, String>,
    /// Its tags.
    pub tags: Tags,
    /// How many uses are still refused.
    pub invisible: u32,
}

/// A rule of a security group.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The group.
    pub group: String,
    /// From where.
    pub cidr: String,
    /// Which port.
    pub port: i64,
    /// Its tags.
    pub tags: Tags,
}

/// What goes wrong: which action, how often, and how.
#[derive(Debug, Clone)]
struct Fault {
    action: String,
    times: u32,
    code: String,
    message: String,
}

/// Everything.
#[derive(Debug)]
pub struct World {
    /// How it behaves.
    pub manners: Manners,
    /// Clusters by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, Part>,
    /// Workgroups by name.
    pub workgroups: BTreeMap<String, Part>,
    /// Roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Rules by id.
    pub rules: BTreeMap<String, Rule>,
    /// Snapshots: name, then the cluster or `namespace/NAME`, and whether it was made by hand.
    pub snapshots: BTreeMap<String, (String, bool)>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Every call that came, `service:Action`.
    pub calls: Vec<String>,
    faults: Vec<Fault>,
    next: u64,
}

impl World {
    pub(crate) fn new(manners: Manners) -> Self {
        Self {
            manners,
            clusters: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            workgroups: BTreeMap::new(),
            roles: BTreeMap::new(),
            rules: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            secrets: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            next: 0,
        }
    }

    /// The next `times` calls of `action` are refused.
    pub fn refuse(&mut self, action: &str, times: u32, code: &str, message: &str) {
        let (action, code, message) = (action.into(), code.into(), message.into());
        self.faults.push(Fault { action, times, code, message });
    }

    /// How many refusals that were asked for did not happen.
    pub fn faults_left(&self) -> u32 {
        self.faults.iter().map(|fault| fault.times).sum()
    }

    /// Everything that somebody pays for or has to clean up, by kind and name.
    pub fn left(&self) -> Vec<String> {
        let names = [
            ("cluster", self.clusters.keys().collect::<Vec<_>>()),
            ("namespace", self.namespaces.keys().collect()),
            ("workgroup", self.workgroups.keys().collect()),
            ("role", self.roles.keys().collect()),
            ("rule", self.rules.keys().collect()),
            ("snapshot", self.snapshots.keys().collect()),
            ("secret", self.secrets.iter().collect()),
        ];
        let told = names
            .into_iter()
            .flat_map(|(kind, names)| names.into_iter().map(move |name| format!("{kind} {name}")));
        told.collect()
    }

    /// How often an action was called.
    pub fn called(&self, action: &str) -> usize {
        self.calls.iter().filter(|call| call.rsplit(':').next() == Some(action)).count()
    }

    pub(crate) fn fault(&mut self, action: &str) -> Result<(), Refusal> {
        let due = self.faults.iter_mut().find(|fault| fault.action == action && fault.times > 0);
        let Some(fault) = due else { return Ok(()) };
        fault.times -= 1;
        let status = if fault.code.contains("Denied") { 403 } else { 400 };
        Err(refuse(status, &fault.code, &fault.message))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether Redshift may take this role on, now: it must be there, be visible, and trust the service.
    pub(crate) fn check_role(&mut self, arn: &str, service: &str) -> Result<(), String> {
        let invalid = || {
            format!(
                "The IAM role {arn} is not valid. The IAM role must delegate access to an Amazon Redshift account."
            )
        };
        let name = arn.rsplit('/').next().unwrap_or_default();
        let role = self.roles.get_mut(name).filter(|role| crate::iam::arn(name, role) == arn);
        let role = role.ok_or_else(invalid)?;
        if role.invisible > 0 {
            role.invisible -= 1;
            return Err(invalid());
        }
        let document: Value = serde_json::from_str(&role.trust).unwrap_or_default();
        let text = document["Statement"].to_string();
        let trusted = text.contains(&format!("\"{service}\"")) && text.contains("sts:AssumeRole");
        if trusted { Ok(()) } else { Err(invalid()) }
    }
}

pub(crate) fn written(moment: OffsetDateTime) -> String {
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default()
}
