//! What is typed behind `sparkify cluster`.

use clap::{Args, Subcommand};

#[cfg(feature = "cluster")]
use sparkify_config::ClusterFlags;
use sparkify_config::{Flags, S3Flags};

/// A Redshift of one's own, and no Redshift again.
#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// Say what `up` would make and what it would cost, and change nothing
    #[command(after_help = "Example: sparkify cluster plan --node-type ra3.large --nodes 2")]
    Plan(Look),
    /// Make role and cluster, or what is missing of them, and wait until they can be used
    #[command(
        after_help = "Examples: sparkify cluster up --ttl 4h --write-config\n          sparkify cluster up --serverless --base-capacity 8\n          sparkify cluster up --public --allow-cidr 203.0.113.7/32"
    )]
    Up(Up),
    /// Say what is there, where it listens, and what it has cost
    #[command(after_help = "Example: sparkify cluster status --output json")]
    Status(Look),
    /// Delete what `up` made; asks for the name first
    #[command(
        after_help = "Examples: sparkify cluster down --verify\n          sparkify cluster down --yes --final-snapshot before-holidays"
    )]
    Down(Down),
    /// Delete everything of ours that has outlived its `--ttl`, of any name: for a job that runs by the clock
    #[command(after_help = "Example: 0 * * * * sparkify cluster reap --region us-west-2 --quiet")]
    Reap(Reap),
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    pub wanted: Wanted,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Write endpoint and role into the configuration file; never a password
    #[arg(long)]
    pub write_config: bool,
    #[command(flatten)]
    pub wanted: Wanted,
}

#[derive(Debug, Args)]
pub(crate) struct Down {
    /// Do not ask for the name
    #[arg(short, long)]
    pub yes: bool,
    /// Keep the data in a snapshot of this name; without it they are gone
    #[arg(long, value_name = "NAME")]
    pub final_snapshot: Option<String>,
    /// List what is still there afterwards: exit code 1 when anything is
    #[arg(long)]
    pub verify: bool,
    /// Empty endpoint and role in the configuration file
    #[arg(long)]
    pub write_config: bool,
    #[command(flatten)]
    pub wanted: Wanted,
}

#[derive(Debug, Args)]
pub(crate) struct Reap {
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub wanted: Wanted,
}

/// What is wished. Each has its place in the configuration file too: `docs/redshift.md`.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// The cluster's name [default: `DWH_CLUSTER_IDENTIFIER`, or sparkify]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Serverless: a namespace and a workgroup, paid while they work
    #[arg(long)]
    pub serverless: bool,
    /// ra3.large, ra3.xlplus, ra3.4xlarge, ra3.16xlarge, rg.… [default: `DWH_NODE_TYPE`, or ra3.large]
    #[arg(long, value_name = "TYPE", conflicts_with = "serverless")]
    pub node_type: Option<String>,
    /// How many nodes [default: `DWH_NUM_NODES`, or the fewest]
    #[arg(long, value_name = "N", conflicts_with = "serverless")]
    pub nodes: Option<String>,
    /// A serverless one's capacity in RPU: 4, or a multiple of 8 [default: `DWH_BASE_CAPACITY`, or 8]
    #[arg(long, value_name = "RPU")]
    pub base_capacity: Option<String>,
    /// The role to make [default: `DWH_IAM_ROLE_NAME`, or the cluster's name with `-s3`]
    #[arg(long, value_name = "NAME")]
    pub role_name: Option<String>,
    /// A role that is there, used as it is [default: `ARN` of `[IAM_ROLE]`]
    #[arg(long, value_name = "ARN")]
    pub role_arn: Option<String>,
    /// The song objects that the role reads [default: `SONG_DATA` of [S3]]
    #[arg(long, value_name = "PLACE")]
    pub song_data: Option<String>,
    /// The event objects that the role reads [default: `LOG_DATA` of [S3]]
    #[arg(long, value_name = "PLACE")]
    pub log_data: Option<String>,
    /// A place in S3 that the role may also write to [default: `STAGING` of [S3]]
    #[arg(long, value_name = "PLACE")]
    pub staging: Option<String>,
    /// Take the administrator's password from the configuration file instead of letting AWS make and keep one
    #[arg(long)]
    pub password_from_config: bool,
    /// Let one range of addresses reach it from outside its network
    #[arg(long)]
    pub public: bool,
    /// That range [default: this machine's address, as checkip.amazonaws.com tells it]
    #[arg(long, value_name = "CIDR", requires = "public")]
    pub allow_cidr: Option<String>,
    /// The cluster's subnet group [default: that of the default network]
    #[arg(long, value_name = "NAME")]
    pub subnet_group: Option<String>,
    /// The cluster's security group [default: that of its network]
    #[arg(long, value_name = "ID")]
    pub security_group: Option<String>,
    /// Tag it with the moment at which `reap` may delete it
    #[arg(long, value_name = "TIME")]
    pub ttl: Option<String>,
    /// Give up waiting after this [default: 1h]
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// Seconds between two looks [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub poll: Option<String>,
    /// The region [default: `AWS_REGION`, `DWH_REGION`, or the profile's]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

impl Cluster {
    /// What is wished, whatever is to be done.
    pub(crate) fn wanted(&self) -> &Wanted {
        match self {
            Self::Plan(args) | Self::Status(args) => &args.wanted,
            Self::Up(args) => &args.wanted,
            Self::Down(args) => &args.wanted,
            Self::Reap(args) => &args.wanted,
        }
    }

    /// What was typed for this command, over what was typed for all.
    pub(crate) fn over(&self, flags: Flags) -> Flags {
        let wanted = self.wanted();
        Flags {
            song_data: wanted.song_data.clone(),
            log_data: wanted.log_data.clone(),
            s3: S3Flags { region: wanted.region.clone(), ..S3Flags::default() },
            ..flags
        }
    }
}

impl Wanted {
    /// As `config` takes it.
    #[cfg(feature = "cluster")]
    pub(crate) fn flags(&self) -> ClusterFlags {
        ClusterFlags {
            name: self.name.clone(),
            serverless: self.serverless,
            node_type: self.node_type.clone(),
            nodes: self.nodes.clone(),
            base_capacity: self.base_capacity.clone(),
            role_name: self.role_name.clone(),
            role_arn: self.role_arn.clone(),
            staging: self.staging.clone(),
            own_password: self.password_from_config,
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
