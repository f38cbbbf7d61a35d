//! What an emulator is started with.

use crate::copy::s3::Store;
use crate::without::Manner;

/// How a user's password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// As MD5 of password, name and salt: an ordinary user.
    Md5,
    /// In clear text, over TLS.
    Clear,
    /// As Redshift's own SHA-256 digest: request 13, which only Amazon's drivers speak. Nobody gets in.
    Sha256,
}

/// A database user.
#[derive(Clone, Debug)]
pub struct User {
    /// Its name, in lower case.
    pub name: String,
    /// Its password.
    pub password: String,
    /// How it is asked for.
    pub authentication: Authentication,
}

impl User {
    /// An ordinary user.
    pub fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            authentication: Authentication::Md5,
        }
    }
}

/// What the Data API knows and expects.
#[derive(Clone, Debug)]
pub struct DataApi {
    /// Of the caller, whose signature is verified.
    pub access_key: String,
    /// Of the caller.
    pub secret_key: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The one cluster there is.
    pub cluster: String,
    /// The one workgroup there is.
    pub workgroup: String,
    /// The one secret there is; it stands for the first user.
    pub secret_arn: String,
    /// How many times `DescribeStatement` answers that a statement is not finished yet.
    pub polls: u32,
    /// Rows a page of `GetStatementResult`.
    pub page_rows: usize,
}

impl Default for DataApi {
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
        }
    }
}

/// What an emulator is started with; the default suits most tests.
#[derive(Clone)]
pub struct Options {
    /// The PostgreSQL server, `postgres://user:password@host:port/database`, of a superuser; else `SPARKIFY_TEST_POSTGRES`.
    pub postgres: Option<String>,
    /// The name that clients know the database by.
    pub database: String,
    /// Who may connect; the first owns the database.
    pub users: Vec<User>,
    /// Whether a client may do without TLS.
    pub plain_text: bool,
    /// The port; 0 takes any that is free.
    pub port: u16,
    /// The store that COPY reads, with the roles that the cluster has.
    pub store: Option<Store>,
    /// The Data API's side.
    pub data_api: DataApi,
    /// Manners of Redshift's that it does not have, so that a test sees a cluster which answers otherwise.
    pub without: Vec<Manner>,
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
            data_api: DataApi::default(),
            without: Vec::new(),
        }
    }
}
