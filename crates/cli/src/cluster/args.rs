//! Arguments of `sparkify cluster`.

use clap::{Args, Subcommand};

#[cfg(feature = "cluster")]
use sparkify_config::ClusterFlags;
use sparkify_config::{Flags, S3Flags};

/// Subcommands that create, inspect and delete a Redshift cluster or workgroup.
#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// Dry run of `up`: print what it would create and the estimated cost
    #[command(after_help = "Example:\n  sparkify cluster plan --node-type ra3.large --nodes 2")]
    Plan(Inspect),
    /// Create the IAM role and the cluster, if missing, and wait until they are available
    #[command(
        after_help = "Examples:\n  sparkify cluster up --ttl 4h --write-config\n  sparkify cluster up --serverless --base-capacity 8\n  sparkify cluster up --public --allow-cidr 203.0.113.7/32"
    )]
    Up(Up),
    /// Print state, endpoint and estimated cost of the cluster
    #[command(after_help = "Example:\n  sparkify cluster status --output json")]
    Status(Inspect),
    /// Delete what `up` created; asks for confirmation
    #[command(
        after_help = "Examples:\n  sparkify cluster down --verify\n  sparkify cluster down --yes --final-snapshot before-holidays"
    )]
    Down(Down),
    /// Delete all sparkify clusters whose `--ttl` has expired, whatever their name; for cron
    #[command(
        after_help = "Example:\n  0 * * * * sparkify cluster reap --region us-west-2 --quiet"
    )]
    Reap(Reap),
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub options: ClusterOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Write endpoint, role and warehouse URL into the configuration file; a password is never
    /// written
    #[arg(long)]
    pub write_config: bool,
    #[command(flatten)]
    pub options: ClusterOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Down {
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Keep the data in a final snapshot of this name; without it, all data is deleted
    #[arg(long, value_name = "NAME")]
    pub final_snapshot: Option<String>,
    /// List resources that still exist afterwards; exit code 1 if there are any
    #[arg(long)]
    pub verify: bool,
    /// Clear endpoint, role and warehouse URL in the configuration file
    #[arg(long)]
    pub write_config: bool,
    #[command(flatten)]
    pub options: ClusterOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Reap {
    /// Dry run: print what would be deleted
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub options: ClusterOptions,
}

/// Options that describe the cluster. `docs/how-to/redshift.md` lists their keys in the configuration
/// file.
#[derive(Debug, Args)]
pub(crate) struct ClusterOptions {
    /// Name of the cluster or workgroup [default: `DWH_CLUSTER_IDENTIFIER`, or sparkify]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Use Redshift Serverless (namespace and workgroup), which is billed while it is in use
    #[arg(long)]
    pub serverless: bool,
    /// Node type: ra3.large, ra3.xlplus, ra3.4xlarge, ra3.16xlarge, rg.… [default: `DWH_NODE_TYPE`,
    /// or ra3.large]
    #[arg(long, value_name = "TYPE", conflicts_with = "serverless")]
    pub node_type: Option<String>,
    /// Number of nodes [default: `DWH_NUM_NODES`, or the minimum of the node type]
    #[arg(long, value_name = "N", conflicts_with = "serverless")]
    pub nodes: Option<String>,
    /// Serverless: base capacity in RPU, 4 or a multiple of 8 [default: `DWH_BASE_CAPACITY`, or 8]
    #[arg(long, value_name = "RPU")]
    pub base_capacity: Option<String>,
    /// Serverless: maximum capacity in RPU [default: `DWH_MAX_CAPACITY`, or the base capacity]
    #[arg(long, value_name = "RPU")]
    pub max_capacity: Option<String>,
    /// Serverless: RPU-hours per day after which queries are refused, or `none` [default:
    /// `DWH_USAGE_LIMIT`, or 8 hours at the base capacity]
    #[arg(long, value_name = "RPU-HOURS")]
    pub usage_limit: Option<String>,
    /// Name of the IAM role to create [default: `DWH_IAM_ROLE_NAME`, or the cluster name with
    /// region and suffix `-s3`]
    #[arg(long, value_name = "NAME")]
    pub role_name: Option<String>,
    /// Existing IAM role to use instead, unchanged [default: `ARN` in `[IAM_ROLE]`]
    #[arg(long, value_name = "ARN")]
    pub role_arn: Option<String>,
    /// Permissions boundary of a created role [default: `PERMISSIONS_BOUNDARY` in `[IAM_ROLE]`]
    #[arg(long, value_name = "ARN")]
    pub permissions_boundary: Option<String>,
    /// Song files that the role can read [default: `SONG_DATA` in [S3]]
    #[arg(long, value_name = "LOCATION")]
    pub song_data: Option<String>,
    /// Event files that the role can read [default: `LOG_DATA` in [S3]]
    #[arg(long, value_name = "LOCATION")]
    pub log_data: Option<String>,
    /// S3 prefix that the role can also write to [default: `STAGING` in [S3]]
    #[arg(long, value_name = "LOCATION")]
    pub staging: Option<String>,
    /// Take the administrator password from the configuration file; by default AWS generates and
    /// stores one
    #[arg(long)]
    pub password_from_config: bool,
    /// Make the cluster reachable from outside its VPC, for one address range
    #[arg(long)]
    pub public: bool,
    /// Address range for --public [default: this machine's address, as checkip.amazonaws.com
    /// reports it]
    #[arg(long, value_name = "CIDR", requires = "public")]
    pub allow_cidr: Option<String>,
    /// Subnet group [default: the subnets of the default VPC]
    #[arg(long, value_name = "NAME")]
    pub subnet_group: Option<String>,
    /// Security group [default: the default group of the VPC]
    #[arg(long, value_name = "ID")]
    pub security_group: Option<String>,
    /// Lifetime: tag the cluster with the time after which `reap` deletes it, for example 4h
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<String>,
    /// Timeout of waiting for the cluster [default: 1h]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// Seconds between two status requests [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub poll: Option<String>,
    /// AWS region [default: `AWS_REGION`, `DWH_REGION`, or the profile's]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

impl Cluster {
    /// Returns the options that describe the cluster.
    pub(crate) fn options(&self) -> &ClusterOptions {
        match self {
            Self::Plan(args) | Self::Status(args) => &args.options,
            Self::Up(args) => &args.options,
            Self::Down(args) => &args.options,
            Self::Reap(args) => &args.options,
        }
    }

    /// Adds the options of this command to the global ones.
    pub(crate) fn merge_into(&self, flags: Flags) -> Flags {
        let options = self.options();
        Flags {
            song_data: options.song_data.clone(),
            log_data: options.log_data.clone(),
            s3: S3Flags { region: options.region.clone(), ..S3Flags::default() },
            ..flags
        }
    }
}

impl ClusterOptions {
    /// Converts the options for `config`.
    #[cfg(feature = "cluster")]
    pub(crate) fn flags(&self) -> ClusterFlags {
        ClusterFlags {
            name: self.name.clone(),
            serverless: self.serverless,
            node_type: self.node_type.clone(),
            nodes: self.nodes.clone(),
            base_capacity: self.base_capacity.clone(),
            max_capacity: self.max_capacity.clone(),
            usage_limit: self.usage_limit.clone(),
            role_name: self.role_name.clone(),
            role_arn: self.role_arn.clone(),
            permissions_boundary: self.permissions_boundary.clone(),
            staging: self.staging.clone(),
            password_from_config: self.password_from_config,
            public: self.public,
            allow_cidr: self.allow_cidr.clone(),
            subnet_group: self.subnet_group.clone(),
            security_group: self.security_group.clone(),
            ttl: self.ttl.clone(),
            timeout: self.timeout.clone(),
            poll: self.poll.clone(),
        }
    }
}
