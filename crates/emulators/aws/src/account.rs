//! State of the emulated account, and its behavior.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{ApiError, Policy, REGION, error};

/// Configurable behavior of the emulator.
#[derive(Debug, Clone)]
pub struct Behavior {
    /// Status requests until a creation, change or deletion completes.
    pub polls: u32,
    /// Uses of a new role that fail before it is visible. IAM is eventually consistent.
    pub role_delay: u32,
    /// Final state of a created cluster.
    pub created_state: &'static str,
    /// True if creations never complete.
    pub never_completes: bool,
    /// Maximum number of clusters.
    pub cluster_quota: usize,
    /// True if the deletion of a cluster leaves an automated snapshot and its secret.
    pub keeps_leftovers: bool,
    /// True if the caller has no permission for the policy simulator.
    pub denies_simulation: bool,
    /// Host and port of the endpoint of clusters and workgroups, instead of a name of Amazon's.
    pub endpoint: Option<(String, u16)>,
    /// Region for which requests must be signed; none accepts any. All regions have the same
    /// resources.
    pub region: Option<&'static str>,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            polls: 2,
            role_delay: 2,
            created_state: "available",
            never_completes: false,
            cluster_quota: 3,
            keeps_leftovers: false,
            denies_simulation: false,
            endpoint: None,
            region: Some(REGION),
        }
    }
}

pub(crate) type Tags = BTreeMap<String, String>;

/// State of a resource that changes after a number of status requests.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    /// Current state, as the API names it; `gone` for a deleted resource.
    pub state: String,
    /// Status requests until `next` becomes the state.
    pub polls_left: u32,
    /// Following state.
    pub next: String,
}

impl Lifecycle {
    pub(crate) fn begin(state: &str, polls: u32, next: &str) -> Self {
        Self { state: state.into(), polls_left: polls, next: next.into() }
    }

    /// Counts a status request, unless the clock is stopped.
    pub(crate) fn poll(&mut self, clock: Clock) {
        if clock == Clock::Stopped {
            return;
        }
        if self.polls_left == 0 {
            self.state.clone_from(&self.next);
        }
        self.polls_left = self.polls_left.saturating_sub(1);
    }
}

/// Virtual clock of the account: status requests change states only while it is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Running,
    Stopped,
}

/// Provisioned cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its state.
    pub lifecycle: Lifecycle,
    /// Node type, such as `ra3.large`.
    pub node_type: String,
    /// Number of nodes.
    pub nodes: i64,
    /// Name of the administrator.
    pub user: String,
    /// Database that was created with the cluster.
    pub database: String,
    /// Port of the endpoint.
    pub port: i64,
    /// True if it is reachable from outside of its VPC.
    pub public: bool,
    /// ARNs of its IAM roles.
    pub roles: Vec<String>,
    /// Security group.
    pub group: String,
    /// Name of the secret with the password, if AWS manages the password.
    pub secret: Option<String>,
    /// Tags by key.
    pub tags: Tags,
    /// Time of the creation.
    pub created: OffsetDateTime,
}

/// Namespace or workgroup of Redshift Serverless.
#[derive(Debug, Clone)]
pub struct ServerlessResource {
    /// Its state.
    pub lifecycle: Lifecycle,
    /// Fields of the API's JSON object, except `status`.
    pub fields: Value,
    /// Tags by key.
    pub tags: Tags,
}

/// IAM role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Path in IAM, such as `/sparkify/`.
    pub path: String,
    /// Trust policy, as JSON.
    pub trust: String,
    /// Inline policies by name, as JSON.
    pub policies: BTreeMap<String, String>,
    /// Names of attached managed policies.
    pub attached: Vec<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags by key.
    pub tags: Tags,
    /// Uses that fail before the role is visible.
    pub delay: u32,
}

/// Usage limit of a workgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageLimit {
    /// ARN of the workgroup.
    pub resource: String,
    /// RPU-hours per period.
    pub amount: i64,
    /// `daily`, `weekly` or `monthly`.
    pub period: String,
    /// `log`, `emit-metric` or `deactivate`.
    pub breach_action: String,
}

/// Ingress rule of a security group.
#[derive(Debug, Clone)]
pub struct IngressRule {
    /// ID of the security group.
    pub group: String,
    /// Allowed source addresses.
    pub cidr: String,
    /// Allowed port.
    pub port: i64,
    /// Tags by key.
    pub tags: Tags,
}

/// Snapshot of a cluster or namespace.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Name of the cluster, or `namespace/NAME`.
    pub owner: String,
    /// False for an automated snapshot.
    pub manual: bool,
}

/// Error that a test injects.
#[derive(Debug, Clone)]
struct Fault {
    action: String,
    times: u32,
    code: String,
    message: String,
}

/// Resources of the account, and the log of its API calls.
#[derive(Debug)]
pub struct Account {
    /// Configured behavior.
    pub behavior: Behavior,
    /// Clusters by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, ServerlessResource>,
    /// Workgroups by name.
    pub workgroups: BTreeMap<String, ServerlessResource>,
    /// IAM roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Ingress rules by ID.
    pub rules: BTreeMap<String, IngressRule>,
    /// Snapshots by name.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Usage limits of workgroups.
    pub usage_limits: Vec<UsageLimit>,
    /// Policies of the caller; none allows everything.
    pub policies: Option<Vec<Policy>>,
    /// All received calls as `service:Action`, including failed ones.
    pub calls: Vec<String>,
    faults: Vec<Fault>,
    clock: Clock,
    /// Action that stops the clock when it is called.
    stops_clock: Option<String>,
    last_number: u64,
}

impl Account {
    pub(crate) fn new(behavior: Behavior) -> Self {
        Self {
            behavior,
            clusters: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            workgroups: BTreeMap::new(),
            roles: BTreeMap::new(),
            rules: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            secrets: Vec::new(),
            usage_limits: Vec::new(),
            policies: None,
            calls: Vec::new(),
            faults: Vec::new(),
            clock: Clock::Running,
            stops_clock: None,
            last_number: 0,
        }
    }

    /// Makes the next `times` calls of `action` fail.
    pub fn fail(&mut self, action: &str, times: u32, code: &str, message: &str) {
        let (action, code, message) = (action.into(), code.into(), message.into());
        self.faults.push(Fault { action, times, code, message });
    }

    /// Returns the number of injected errors that were not delivered yet.
    pub fn faults_left(&self) -> u32 {
        self.faults.iter().map(|fault| fault.times).sum()
    }

    /// Stops the clock at the next call of `action`: states of resources no longer change, so a
    /// client that waits for one waits until [`Account::start_clock`].
    pub fn stop_clock_at(&mut self, action: &str) {
        self.stops_clock = Some(action.into());
    }

    /// Starts the clock again, and forgets an action that would stop it.
    pub fn start_clock(&mut self) {
        (self.clock, self.stops_clock) = (Clock::Running, None);
    }

    /// Replaces the value of a tag on all resources that have it, for example to let them expire.
    pub fn replace_tag(&mut self, key: &str, value: &str) {
        for tags in self.all_tags() {
            if let Some(found) = tags.get_mut(key) {
                value.clone_into(found);
            }
        }
    }

    /// Lets all resources of a project expire that have an expiry.
    pub fn expire(&mut self, project: &str) {
        let past = "2020-01-01T00:00:00Z";
        let of_project =
            |tags: &&mut Tags| tags.get("sparkify:project").is_some_and(|it| it == project);
        for tags in self.all_tags().filter(of_project) {
            let expiries = tags.iter_mut().filter(|(key, value)| {
                let key = key.as_str();
                (key == "sparkify:expires" || key.starts_with("sparkify:region:"))
                    && value.as_str() != "none"
            });
            expiries.for_each(|(_, value)| past.clone_into(value));
        }
    }

    fn all_tags(&mut self) -> impl Iterator<Item = &mut Tags> {
        let clusters = self.clusters.values_mut().map(|cluster| &mut cluster.tags);
        let serverless = self.namespaces.values_mut().chain(self.workgroups.values_mut());
        let serverless = serverless.map(|resource| &mut resource.tags);
        let roles = self.roles.values_mut().map(|role| &mut role.tags);
        let ingress = self.rules.values_mut().map(|rule| &mut rule.tags);
        clusters.chain(serverless).chain(roles).chain(ingress)
    }

    /// Lists all resources that cost money or need a cleanup, as `kind name`.
    pub fn resources(&self) -> Vec<String> {
        let names = [
            ("cluster", self.clusters.keys().collect::<Vec<_>>()),
            ("namespace", self.namespaces.keys().collect()),
            ("workgroup", self.workgroups.keys().collect()),
            ("role", self.roles.keys().collect()),
            ("rule", self.rules.keys().collect()),
            ("snapshot", self.snapshots.keys().collect()),
            ("secret", self.secrets.iter().collect()),
        ];
        names
            .into_iter()
            .flat_map(|(kind, names)| names.into_iter().map(move |name| format!("{kind} {name}")))
            .collect()
    }

    /// Returns the number of calls of an action.
    pub fn call_count(&self, action: &str) -> usize {
        self.calls.iter().filter(|call| call.rsplit(':').next() == Some(action)).count()
    }

    pub(crate) fn record_call(&mut self, service: &str, action: &str) {
        self.calls.push(format!("{service}:{action}"));
        if self.stops_clock.as_deref() == Some(action) {
            self.clock = Clock::Stopped;
        }
    }

    pub(crate) fn injected_error(&mut self, action: &str) -> Result<(), ApiError> {
        let due = self.faults.iter_mut().find(|fault| fault.action == action && fault.times > 0);
        let Some(fault) = due else { return Ok(()) };
        fault.times -= 1;
        let status = if fault.code.contains("Denied") { 403 } else { 400 };
        Err(error(status, &fault.code, &fault.message))
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns the number of polls that a creation takes.
    pub(crate) fn creation_polls(&self) -> u32 {
        if self.behavior.never_completes { u32::MAX } else { self.behavior.polls }
    }

    /// Returns a number that is unique in this account, for IDs.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Checks that a service can assume a role: it exists, is visible, and trusts the service.
    pub(crate) fn check_role(&mut self, arn: &str, service: &str) -> Result<(), String> {
        let invalid = || {
            format!(
                "The IAM role {arn} is not valid. The IAM role must delegate access to an Amazon Redshift account."
            )
        };
        let name = arn.rsplit('/').next().unwrap_or_default();
        let role = self.roles.get_mut(name).filter(|role| crate::iam::arn(name, role) == arn);
        let role = role.ok_or_else(invalid)?;
        if role.delay > 0 {
            role.delay -= 1;
            return Err(invalid());
        }
        let document: Value = serde_json::from_str(&role.trust).unwrap_or_default();
        let text = document["Statement"].to_string();
        let trusts = text.contains(&format!("\"{service}\"")) && text.contains("sts:AssumeRole");
        if trusts { Ok(()) } else { Err(invalid()) }
    }
}

/// Formats a timestamp for a response, without fractions of a second.
pub(crate) fn timestamp(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}
