//! Options of an emulator.

use crate::behavior::Behavior;
use crate::copy::s3::Store;

/// Password authentication method of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// MD5 digest of password, name and salt, as for an ordinary user.
    Md5,
    /// Clear text password over TLS.
    Clear,
    /// Redshift's own SHA-256 digest (authentication request 13), in the format of
    /// redshift_connector.
    Sha256,
}

/// Database user.
#[derive(Clone, Debug)]
pub struct User {
    /// User name in lower case.
    pub name: String,
    /// Password, compared with the client's response.
    pub password: String,
    /// Authentication method that the server requests.
    pub authentication: Authentication,
}

impl User {
    /// Creates a user with MD5 authentication.
    pub fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            authentication: Authentication::Md5,
        }
    }
}

/// Options of the Data API endpoint.
#[derive(Clone, Debug)]
pub struct DataApiOptions {
    /// Access key ID that requests must be signed with.
    pub access_key: String,
    /// Secret access key that requests must be signed with.
    pub secret_key: String,
    /// Region in the scope of the signature.
    pub region: String,
    /// Only accepted `ClusterIdentifier`.
    pub cluster: String,
    /// Only accepted `WorkgroupName`.
    pub workgroup: String,
    /// Only accepted `SecretArn`; it authenticates the first user.
    pub secret_arn: String,
    /// Number of `DescribeStatement` calls that report a statement as unfinished before its real
    /// status.
    pub polls: u32,
    /// Rows per page of `GetStatementResult`.
    pub page_rows: usize,
    /// True if the caller may call `ListSessions`.
    pub lists_sessions: bool,
}

impl Default for DataApiOptions {
    fn default() -> Self {
        Self {
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            region: "us-west-2".to_owned(),
            cluster: "emulator".to_owned(),
            workgroup: "emulator".to_owned(),
            secret_arn: "arn:aws:secretsmanager:us-west-2:123456789012:secret:emulator-AbCdEf"
                .to_owned(),
            polls: 1,
            page_rows: 1000,
            lists_sessions: true,
        }
    }
}

/// Options of an emulator; the default suits most tests.
#[derive(Clone)]
pub struct Options {
    /// URL of the PostgreSQL server as a superuser: `postgres://user:password@host:port/database`.
    ///
    /// Default: the environment variable `SPARKIFY_TEST_POSTGRES`.
    pub postgres: Option<String>,
    /// Database name that clients connect to.
    pub database: String,
    /// Users that may connect; the first one owns the database.
    pub users: Vec<User>,
    /// True if clients may connect without TLS.
    pub plain_text: bool,
    /// Port on 127.0.0.1; 0 selects a free one.
    pub port: u16,
    /// S3 endpoint that COPY reads from, and the IAM roles attached to the cluster.
    pub store: Option<Store>,
    /// Options of the Data API endpoint.
    pub data_api: DataApiOptions,
    /// Redshift behaviors to switch off, to test how clients detect a cluster that deviates from
    /// its documentation.
    pub disabled: Vec<Behavior>,
    /// Plans that EXPLAIN returns for statements which contain a text. Other plans are those of
    /// PostgreSQL, whose operators are not distributed.
    pub plans: Vec<FixedPlan>,
}

/// Plan of the statements that contain a text.
#[derive(Clone, Debug)]
pub struct FixedPlan {
    /// The text.
    pub of: String,
    /// Lines of the plan.
    pub plan: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            postgres: None,
            database: "dev".to_owned(),
            users: vec![User::new("awsuser", "Emulator-1")],
            plain_text: false,
            port: 0,
            store: None,
            data_api: DataApiOptions::default(),
            disabled: Vec::new(),
            plans: Vec::new(),
        }
    }
}
