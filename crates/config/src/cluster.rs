//! Which cluster was asked for? Its form, size, role, network and time limit, decided from flags, the environment and `dwh.cfg`.
//!
//! The keys are those of the scripts that create clusters (`[DWH]`, or the same in `[CLUSTER]`). What Amazon would refuse is refused here, before anything
//! is created; what is merely old is mapped, with a warning that says why. Nothing is asked of any server.

use std::path::PathBuf;
use std::time::Duration;

use super::{Access, ConfigError, Flags, Secret, Settings, cluster_rules as rules};

/// What the command line may say about a cluster; whatever is not said is looked for elsewhere.
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
    /// `--role-name`
    pub role_name: Option<String>,
    /// `--role-arn`
    pub role_arn: Option<String>,
    /// `--staging`
    pub staging: Option<String>,
    /// `--password-from-config`
    pub own_password: bool,
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

/// A cluster as it was asked for, with everything decided.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// The cluster's identifier; of a serverless one, the namespace's and the workgroup's.
    pub name: String,
    /// Which form, and how large.
    pub form: Form,
    /// The database that it begins with.
    pub database: String,
    /// The administrator.
    pub user: String,
    /// The administrator's password, if AWS should not make and keep it.
    pub password: Option<Secret>,
    /// Where it listens.
    pub port: u16,
    /// The role that is created.
    pub role_name: String,
    /// A role that is there already and is used as it is.
    pub role_arn: Option<String>,
    /// What the role may read or write.
    pub prefixes: Vec<Prefix>,
    /// Reachable from outside its network.
    pub public: bool,
    /// From where, if it is reachable; none means from the caller's own address.
    pub allow_cidr: Option<String>,
    /// The subnets that it lies in; none means those of the default network.
    pub subnet_group: Option<String>,
    /// Who may reach it; none means the default group of its network.
    pub security_group: Option<String>,
    /// How long it is meant to live.
    pub ttl: Option<Duration>,
    /// How long to wait for one state.
    pub timeout: Duration,
    /// How often to look.
    pub poll: Duration,
    /// How AWS is reached.
    pub aws: AwsSettings,
    /// The configuration file that was read, or the one that would be.
    pub file: PathBuf,
    /// What was mapped or makes no sense.
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

/// The two forms of a warehouse that Amazon runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Nodes, paid by the hour.
    Provisioned {
        /// Their type.
        node_type: String,
        /// How many.
        nodes: u16,
    },
    /// Capacity, paid while it works.
    Serverless {
        /// In units of Amazon's (RPU).
        base_capacity: u16,
    },
}

/// A part of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// The bucket.
    pub bucket: String,
    /// What its keys begin with, without a `/` at the end; nothing means the whole bucket.
    pub key: String,
    /// One object rather than all below.
    pub is_object: bool,
    /// Whether it is written to as well.
    pub write: bool,
}

/// Reads one value: a flag, then the environment, then the file.
struct Reader<'a> {
    file: &'a super::file::ConfigFile,
    environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    /// `key` of `[DWH]`, as `[CLUSTER]` may have it too, or one of the names in `others`.
    fn pick(&self, flag: Option<&String>, key: &str, others: &[(&str, &str)]) -> Option<String> {
        let filed = |section: &str, key: &str| self.file.get(section, key).map(str::to_owned);
        flag.cloned()
            .or_else(|| (self.environment)(&format!("SPARKIFY_{key}")))
            .or_else(|| filed("DWH", key))
            .or_else(|| filed("CLUSTER", key))
            .or_else(|| others.iter().find_map(|(section, key)| filed(section, key)))
    }
}

impl ClusterSettings {
    /// Decides everything from the flags, the environment and the configuration file.
    pub fn resolve(
        flags: &Flags,
        wanted: &ClusterFlags,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (path, file) = super::configuration(flags, &environment)?;
        let reader = Reader { file: &file, environment: &environment };
        let mut warnings = Vec::new();
        let form = form(&reader, wanted, &mut warnings)?;
        let pick = |flag: &Option<String>, key: &str, others: &[(&str, &str)]| {
            reader.pick(flag.as_ref(), key, others)
        };
        let name = pick(&wanted.name, "DWH_CLUSTER_IDENTIFIER", &[]);
        let name = rules::identifier(name.unwrap_or_else(|| "sparkify".into()), &form)?;
        let role_name = pick(&wanted.role_name, "DWH_IAM_ROLE_NAME", &[]);
        let port = pick(&None, "DWH_PORT", &[("CLUSTER", "DB_PORT")]);
        let database = pick(&None, "DWH_DB", &[("CLUSTER", "DB_NAME")]);
        let user = pick(&None, "DWH_DB_USER", &[("CLUSTER", "DB_USER")]);
        let cidr = wanted.allow_cidr.clone();
        Ok(Self {
            role_name: rules::role_name(role_name.unwrap_or_else(|| format!("{name}-s3")))?,
            role_arn: wanted
                .role_arn
                .clone()
                .or_else(|| file.get("IAM_ROLE", "ARN").map(str::to_owned))
                .map(rules::role_arn)
                .transpose()?,
            name,
            form,
            database: rules::database(database.unwrap_or_else(|| "dev".into()))?,
            user: rules::user(user.unwrap_or_else(|| "awsuser".into()))?,
            password: own_password(&reader, wanted.own_password)?,
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
            aws: AwsSettings::resolve(&reader, flags, settings)?,
            file: path,
            warnings,
        })
    }

    /// The password that nobody may read, if one was given.
    pub fn manages_password(&self) -> bool {
        self.password.is_none()
    }
}

impl AwsSettings {
    /// The region of `[DWH]` counts between the environment and the regions of `[S3]` and `[AWS]`.
    fn resolve(
        reader: &Reader<'_>,
        flags: &Flags,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        let access = settings.s3.signing()?;
        let variable = |name: &&str| (reader.environment)(name);
        let region = flags
            .s3
            .region
            .clone()
            .or_else(|| ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(variable))
            .or_else(|| reader.pick(None, "DWH_REGION", &[]))
            .or_else(|| access.region.clone());
        Ok(Self {
            access: Access { region, ..access },
            address: (reader.environment)("SPARKIFY_ADDRESS_URL")
                .unwrap_or_else(|| "https://checkip.amazonaws.com".into()),
        })
    }
}

fn form(
    reader: &Reader<'_>,
    wanted: &ClusterFlags,
    warnings: &mut Vec<String>,
) -> Result<Form, ConfigError> {
    let written = reader.pick(None, "DWH_CLUSTER_TYPE", &[]);
    let written = if wanted.serverless { Some("serverless".into()) } else { written };
    let kind = written.as_deref().map(str::to_lowercase);
    if kind.as_deref() == Some("serverless") {
        let capacity = reader.pick(wanted.base_capacity.as_ref(), "DWH_BASE_CAPACITY", &[]);
        return Ok(Form::Serverless { base_capacity: rules::capacity(capacity.as_deref())? });
    }
    let node_type = reader.pick(wanted.node_type.as_ref(), "DWH_NODE_TYPE", &[]);
    let node_type = rules::node_type(node_type.as_deref().unwrap_or("ra3.large"), warnings)?;
    let nodes = reader.pick(wanted.nodes.as_ref(), "DWH_NUM_NODES", &[]);
    // A flag says it all: an old file's type of cluster would contradict it.
    let kind = if wanted.nodes.is_some() { None } else { kind };
    let nodes = rules::nodes(kind.as_deref(), nodes.as_deref(), &node_type)?;
    Ok(Form::Provisioned { node_type, nodes })
}

fn own_password(reader: &Reader<'_>, own: bool) -> Result<Option<Secret>, ConfigError> {
    if !own {
        return Ok(None);
    }
    let written = reader.pick(None, "DWH_DB_PASSWORD", &[("CLUSTER", "DB_PASSWORD")]);
    written.map(|written| rules::password(&written)).transpose()?.map_or_else(
        || {
            Err(ConfigError::Value {
                what: "the password, of which there is none:",
                written: "****".into(),
                hint: "write DB_PASSWORD into [CLUSTER], or leave `--password-from-config` out: then AWS makes and keeps one",
            })
        },
        |password| Ok(Some(password)),
    )
}

/// Everything in S3 that a load reads, and the place that it may write to.
fn prefixes(settings: &Settings, staging: Option<&String>) -> Result<Vec<Prefix>, ConfigError> {
    let staging = staging.or(settings.staging.location.as_ref());
    let mut found: Vec<Prefix> = Vec::new();
    let read =
        [(&settings.song_data, false), (&settings.log_data, false), (&settings.log_jsonpath, true)];
    for (place, is_object) in read {
        let Some(place) = place.as_deref().filter(|place| place.starts_with("s3://")) else {
            continue;
        };
        found.push(rules::prefix(place, is_object, false)?);
    }
    if let Some(place) = staging {
        found.push(rules::prefix(place, false, true)?);
    }
    if let Some(place) = &settings.staging.manifest {
        found.push(rules::prefix(place, false, false)?);
    }
    found.dedup();
    Ok(found)
}
