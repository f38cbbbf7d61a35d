//! Settings of a Redshift cluster from flags, the environment and `dwh.cfg`: type, size, role,
//! network and lifetime.
//!
//! The keys are those of the course's scripts (`[DWH]`, or the same in `[CLUSTER]`). Values that
//! Amazon would refuse are errors here, before anything is created. Retired values are replaced,
//! with a warning. No request is sent.

use std::path::PathBuf;
use std::time::Duration;

use super::{
    Access, ConfigError, Flags, LogFormatSetting, Secret, Settings, cluster_rules as rules,
};

/// Command-line options of a cluster; `None` falls back to the environment, the file and the
/// default.
#[derive(Debug, Default, Clone)]
pub struct ClusterFlags {
    /// `--name`
    pub name: Option<String>,
    /// `--serverless`
    pub serverless: bool,
    /// `--node-type`
    pub node_type: Option<String>,
    /// `--nodes`
    pub nodes: Option<String>,
    /// `--base-capacity`
    pub base_capacity: Option<String>,
    /// `--max-capacity`
    pub max_capacity: Option<String>,
    /// `--usage-limit`
    pub usage_limit: Option<String>,
    /// `--role-name`
    pub role_name: Option<String>,
    /// `--role-arn`
    pub role_arn: Option<String>,
    /// `--permissions-boundary`
    pub permissions_boundary: Option<String>,
    /// `--staging`
    pub staging: Option<String>,
    /// `--password-from-config`
    pub password_from_config: bool,
    /// `--public`
    pub public: bool,
    /// `--allow-cidr`
    pub allow_cidr: Option<String>,
    /// `--subnet-group`
    pub subnet_group: Option<String>,
    /// `--security-group`
    pub security_group: Option<String>,
    /// `--ttl`
    pub ttl: Option<String>,
    /// `--timeout`
    pub timeout: Option<String>,
    /// `--poll`
    pub poll: Option<String>,
}

/// Resolved settings of a cluster or workgroup.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// Identifier of the cluster, or of namespace and workgroup.
    pub name: String,
    /// Provisioned or serverless, with the size.
    pub form: Form,
    /// Initial database.
    pub database: String,
    /// Name of the administrator.
    pub user: String,
    /// Password of the administrator; none lets AWS generate and store one.
    pub password: Option<Secret>,
    /// Port on which the cluster listens.
    pub port: u16,
    /// Name of the IAM role to create; none means [`ClusterSettings::role_names`].
    pub role_name: Option<String>,
    /// Existing IAM role to use instead.
    pub role_arn: Option<String>,
    /// Managed policy that bounds the permissions of a created role.
    pub permissions_boundary: Option<String>,
    /// Parts of buckets that the role can read or write.
    pub prefixes: Vec<Prefix>,
    /// True if the cluster is reachable from outside its VPC.
    pub public: bool,
    /// Address range that can reach a public cluster; none means the caller's own address.
    pub allow_cidr: Option<String>,
    /// Subnet group; none means the subnets of the default VPC.
    pub subnet_group: Option<String>,
    /// Security group; none means the default group of the VPC.
    pub security_group: Option<String>,
    /// Lifetime after which `reap` deletes the cluster.
    pub ttl: Option<Duration>,
    /// Timeout of waiting for one state.
    pub timeout: Duration,
    /// Interval between status requests.
    pub poll: Duration,
    /// Access to AWS.
    pub aws: AwsSettings,
    /// The configuration file, which may not exist.
    pub file: PathBuf,
    /// Warnings about replaced values.
    pub warnings: Vec<String>,
}

/// Settings of requests to the AWS control plane.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    /// Region, profile and source of credentials.
    pub access: Access,
    /// URL that returns the caller's public address.
    pub address: String,
}

/// Deployment options of Amazon Redshift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Cluster of nodes, billed by the hour.
    Provisioned {
        /// Node type, such as `ra3.large`.
        node_type: String,
        /// Number of nodes.
        nodes: u16,
    },
    /// Serverless workgroup, billed while it is in use.
    Serverless {
        /// Base capacity in Redshift Processing Units (RPU).
        base_capacity: u16,
        /// Maximum capacity in RPU.
        max_capacity: u16,
        /// RPU-hours per day after which queries are refused; none means no limit.
        usage_limit: Option<u32>,
    },
}

/// Part of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// Name of the bucket.
    pub bucket: String,
    /// Key prefix without a final `/`; empty for the whole bucket.
    pub key: String,
    /// True if `key` is one object, not a prefix.
    pub is_object: bool,
    /// True if the role can also write here.
    pub write: bool,
}

/// Lookup of one value: flag, then environment, then file.
struct Lookup<'a> {
    file: &'a super::file::ConfigFile,
    environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Lookup<'_> {
    /// Returns the value of `key` in `[DWH]` or `[CLUSTER]`, or of one of `others` (section and
    /// key).
    fn pick(&self, flag: Option<&String>, key: &str, others: &[(&str, &str)]) -> Option<String> {
        let from_file = |section: &str, key: &str| self.file.get(section, key).map(str::to_owned);
        flag.cloned()
            .or_else(|| (self.environment)(&format!("SPARKIFY_{key}")))
            .or_else(|| from_file("DWH", key))
            .or_else(|| from_file("CLUSTER", key))
            .or_else(|| others.iter().find_map(|(section, key)| from_file(section, key)))
    }
}

impl ClusterSettings {
    /// Resolves every setting from the flags, the environment and the configuration file.
    pub fn resolve(
        flags: &Flags,
        wanted: &ClusterFlags,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (path, file) = super::configuration(flags, &environment)?;
        let lookup = Lookup { file: &file, environment: &environment };
        let mut warnings = Vec::new();
        let form = form(&lookup, wanted, &mut warnings)?;
        let pick = |flag: &Option<String>, key: &str, others: &[(&str, &str)]| {
            lookup.pick(flag.as_ref(), key, others)
        };
        let name = pick(&wanted.name, "DWH_CLUSTER_IDENTIFIER", &[]);
        let name = rules::identifier(name.unwrap_or_else(|| "sparkify".into()), &form)?;
        let role_name = pick(&wanted.role_name, "DWH_IAM_ROLE_NAME", &[]);
        let port = pick(&None, "DWH_PORT", &[("CLUSTER", "DB_PORT")]);
        let database = pick(&None, "DWH_DB", &[("CLUSTER", "DB_NAME")]);
        let user = pick(&None, "DWH_DB_USER", &[("CLUSTER", "DB_USER")]);
        let cidr = wanted.allow_cidr.clone();
        Ok(Self {
            role_name: role_name.map(rules::role_name).transpose()?,
            role_arn: wanted
                .role_arn
                .clone()
                .or_else(|| file.get("IAM_ROLE", "ARN").map(str::to_owned))
                .map(rules::role_arn)
                .transpose()?,
            permissions_boundary: wanted
                .permissions_boundary
                .clone()
                .or_else(|| environment("SPARKIFY_PERMISSIONS_BOUNDARY"))
                .or_else(|| file.get("IAM_ROLE", "PERMISSIONS_BOUNDARY").map(str::to_owned))
                .map(rules::policy_arn)
                .transpose()?,
            name,
            form,
            database: rules::database(database.unwrap_or_else(|| "dev".into()))?,
            user: rules::user(user.unwrap_or_else(|| "awsuser".into()))?,
            password: configured_password(&lookup, wanted.password_from_config)?,
            port: rules::port(port.as_deref())?,
            prefixes: prefixes(settings, wanted.staging.as_ref())?,
            public: wanted.public,
            allow_cidr: cidr.map(rules::cidr).transpose()?,
            subnet_group: wanted.subnet_group.clone(),
            security_group: wanted.security_group.clone(),
            ttl: wanted.ttl.as_deref().map(rules::duration).transpose()?,
            timeout: wanted
                .timeout
                .as_deref()
                .map_or(Ok(Duration::from_hours(1)), rules::duration)?,
            poll: wanted.poll.as_deref().map_or(Ok(Duration::from_secs(10)), rules::poll)?,
            aws: AwsSettings::resolve(&lookup, flags, settings)?,
            file: path,
            warnings,
        })
    }

    /// Returns the names under which the role is looked up. The first is the name of a new role; the
    /// second is the default name of version 0.1, which had no region.
    pub fn role_names(&self, region: &str) -> Vec<String> {
        if let Some(name) = &self.role_name {
            return vec![name.clone()];
        }
        rules::default_role_names(&self.name, region)
    }

    /// Fails if Redshift does not accept the port of a new warehouse.
    pub fn check_port(&self) -> Result<(), ConfigError> {
        rules::check_port(self.port)
    }

    /// Returns true if AWS generates and stores the administrator password.
    pub fn manages_password(&self) -> bool {
        self.password.is_none()
    }
}

impl AwsSettings {
    /// The region of `[DWH]` counts between the environment and the regions of `[S3]` and `[AWS]`.
    fn resolve(
        lookup: &Lookup<'_>,
        flags: &Flags,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        let access = settings.s3.signing()?;
        let variable = |name: &&str| (lookup.environment)(name);
        let region = flags
            .s3
            .region
            .clone()
            .or_else(|| ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(variable))
            .or_else(|| lookup.pick(None, "DWH_REGION", &[]))
            .or_else(|| access.region.clone());
        Ok(Self {
            access: Access { region, ..access },
            address: (lookup.environment)("SPARKIFY_ADDRESS_URL")
                .unwrap_or_else(|| "https://checkip.amazonaws.com".into()),
        })
    }
}

fn form(
    lookup: &Lookup<'_>,
    wanted: &ClusterFlags,
    warnings: &mut Vec<String>,
) -> Result<Form, ConfigError> {
    let written = lookup.pick(None, "DWH_CLUSTER_TYPE", &[]);
    let written = if wanted.serverless { Some("serverless".into()) } else { written };
    let kind = written.as_deref().map(str::to_lowercase);
    if kind.as_deref() == Some("serverless") {
        let capacity = lookup.pick(wanted.base_capacity.as_ref(), "DWH_BASE_CAPACITY", &[]);
        let base_capacity = rules::capacity(capacity.as_deref())?;
        let max = lookup.pick(wanted.max_capacity.as_ref(), "DWH_MAX_CAPACITY", &[]);
        let limit = lookup.pick(wanted.usage_limit.as_ref(), "DWH_USAGE_LIMIT", &[]);
        return Ok(Form::Serverless {
            base_capacity,
            max_capacity: rules::max_capacity(max.as_deref(), base_capacity)?,
            usage_limit: rules::usage_limit(limit.as_deref(), base_capacity)?,
        });
    }
    let node_type = lookup.pick(wanted.node_type.as_ref(), "DWH_NODE_TYPE", &[]);
    let node_type = rules::node_type(node_type.as_deref().unwrap_or("ra3.large"), warnings)?;
    let nodes = lookup.pick(wanted.nodes.as_ref(), "DWH_NUM_NODES", &[]);
    // `--nodes` overrides the cluster type of the file, which could contradict it.
    let kind = if wanted.nodes.is_some() { None } else { kind };
    let nodes = rules::nodes(kind.as_deref(), nodes.as_deref(), &node_type)?;
    Ok(Form::Provisioned { node_type, nodes })
}

fn configured_password(
    lookup: &Lookup<'_>,
    password_from_config: bool,
) -> Result<Option<Secret>, ConfigError> {
    if !password_from_config {
        return Ok(None);
    }
    let written = lookup.pick(None, "DWH_DB_PASSWORD", &[("CLUSTER", "DB_PASSWORD")]);
    written.map(|written| rules::password(&written)).transpose()?.map_or_else(
        || {
            Err(ConfigError::Unset {
                name: "the administrator password",
                hint: "set DB_PASSWORD in [CLUSTER], or omit `--password-from-config` to let AWS generate and store one",
            })
        },
        |password| Ok(Some(password)),
    )
}

/// Returns the parts of buckets that a load reads, and the prefix that it writes staging files to.
fn prefixes(settings: &Settings, staging: Option<&String>) -> Result<Vec<Prefix>, ConfigError> {
    let staging = staging.or(settings.staging.location.as_ref());
    let mut found: Vec<Prefix> = Vec::new();
    let log_paths = match &settings.log_format {
        Some(LogFormatSetting::JsonPaths(location)) => Some(location.clone()),
        _ => None,
    };
    let read = [(&settings.song_data, false), (&settings.log_data, false), (&log_paths, true)];
    for (location, is_object) in read {
        let s3 = location.as_deref().filter(|location| location.starts_with("s3://"));
        let Some(location) = s3 else { continue };
        found.push(rules::prefix(location, is_object, false)?);
    }
    if let Some(location) = staging {
        found.push(rules::prefix(location, false, true)?);
    }
    if let Some(location) = &settings.staging.manifest {
        found.push(rules::prefix(location, false, false)?);
    }
    found.dedup();
    Ok(found)
}
