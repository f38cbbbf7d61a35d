//! S3 requests over HTTP with the access key and permissions of an IAM role.
//!
//! A role must be attached to the cluster and needs permission to list the bucket and get its
//! objects (DG/copy-parameters-authorization.html, DG/copy-usage_notes-access-permissions.html). As
//! in S3, a missing object is reported as "access denied" to a role without list permission.
//! Transient errors are retried a bounded number of times, then the load fails; Redshift retries
//! for 15 to 30 minutes (DG/copy-usage_notes-multiple-files.html). Error messages never repeat text
//! of the server, which may contain secrets.

mod request;
mod sign;

use std::time::Duration;

use super::statement::{Authorization, CopyStatement};
use super::{LoadFailure, ObjectError, ObjectReader};

/// Permissions of a role below a prefix.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Permission {
    /// URL prefix, such as `s3://bucket/data/`.
    pub prefix: String,
    pub list: bool,
    pub get: bool,
}

impl Permission {
    /// Allows list and get, as `AmazonS3ReadOnlyAccess` restricted to a prefix.
    pub fn all(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), list: true, get: true }
    }
}

/// IAM role that is attached to the cluster.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct Role {
    pub arn: String,
    /// Access key ID that the S3 endpoint accepts.
    pub key: String,
    pub secret: String,
    pub permissions: Vec<Permission>,
}

/// Function that reads the rows of a Parquet file as text.
pub type ParquetReader = fn(&[u8]) -> Result<Vec<Vec<Option<String>>>, String>;

/// S3 endpoint and the IAM roles of the cluster.
#[derive(Clone)]
pub struct Store {
    /// Endpoint with path-style buckets, such as `http://localhost:9000`.
    pub endpoint: String,
    /// Region of the cluster, and of buckets if the statement has no REGION.
    pub region: String,
    /// Roles attached to the cluster; the first is the default.
    pub roles: Vec<Role>,
    /// Maximum number of attempts per request.
    pub attempts: u32,
    /// Pause before the first retry; it doubles with each retry (exponential backoff).
    pub backoff: Duration,
    /// Reader of Parquet files. The emulator has none of its own.
    pub parquet: Option<ParquetReader>,
}

impl Store {
    /// Creates a store without roles.
    pub fn new(endpoint: &str, region: &str) -> Self {
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            roles: Vec::new(),
            attempts: 5,
            backoff: Duration::from_millis(5),
            parquet: None,
        }
    }

    /// Returns a reader with the credentials and permissions of the statement.
    pub fn open(&self, copy: &CopyStatement) -> Result<S3Reader, LoadFailure> {
        let role = match &copy.authorization {
            Authorization::DefaultRole => self.roles.first().cloned().ok_or_else(|| {
                let message = "The default IAM role is not set for the cluster";
                LoadFailure::object(&ObjectError::Invalid(message.to_owned()))
            })?,
            Authorization::Role(chain) => self.assume(chain)?,
            Authorization::Key { id, secret, .. } => Role {
                arn: String::new(),
                key: id.clone(),
                secret: secret.clone(),
                permissions: vec![Permission::all("s3://")],
            },
        };
        let region = copy.options.region.clone().unwrap_or_else(|| self.region.clone());
        Ok(S3Reader { store: self.clone(), agent: request::agent(), role, region })
    }

    /// Returns the last role of a chain; all roles must be attached to the cluster.
    fn assume(&self, chain: &str) -> Result<Role, LoadFailure> {
        let find = |arn: &str| {
            let found = self.roles.iter().find(|role| role.arn == arn);
            found.ok_or_else(|| LoadFailure::object(&ObjectError::NotAuthorized(arn.to_owned())))
        };
        let mut last = None;
        for arn in chain.split(',').map(str::trim) {
            last = Some(find(arn)?);
        }
        last.cloned()
            .ok_or_else(|| LoadFailure::object(&ObjectError::NotAuthorized(chain.to_owned())))
    }
}

/// Reader of objects with the credentials and permissions of one role.
pub struct S3Reader {
    store: Store,
    agent: ureq::Agent,
    role: Role,
    region: String,
}

impl S3Reader {
    fn may_list(&self, url: &str) -> bool {
        self.has_permission(url, |permission| permission.list)
    }

    fn may_get(&self, url: &str) -> bool {
        self.has_permission(url, |permission| permission.get)
    }

    fn has_permission(&self, url: &str, allows: impl Fn(&Permission) -> bool) -> bool {
        let mut permissions = self.role.permissions.iter();
        permissions.any(|permission| allows(permission) && url.starts_with(&permission.prefix))
    }
}

fn denied() -> ObjectError {
    ObjectError::Refused {
        status: 403,
        code: "AccessDenied".to_owned(),
        message: "Access Denied".to_owned(),
    }
}

/// Splits `s3://bucket/key` into bucket and key.
fn bucket_and_key(url: &str) -> Result<(&str, &str), ObjectError> {
    let path = url.strip_prefix("s3://").filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| ObjectError::Invalid(format!("'{url}' is not an S3 URL")))?;
    Ok(path.split_once('/').unwrap_or((path, "")))
}

impl ObjectReader for S3Reader {
    fn parquet(&self, content: &[u8]) -> Result<Vec<Vec<Option<String>>>, String> {
        let missing = "Parquet is not supported by the emulator without a reader of it";
        self.store.parquet.map_or_else(|| Err(missing.to_owned()), |read| read(content))
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, ObjectError> {
        let (bucket, key) = bucket_and_key(url)?;
        if !self.may_get(url) {
            return Err(denied());
        }
        match self.request(bucket, key, &[]) {
            Err(ObjectError::NotFound(_)) if self.may_list(url) => {
                Err(ObjectError::NotFound(url.to_owned()))
            }
            Err(ObjectError::NotFound(_)) => Err(denied()),
            result => result,
        }
    }

    fn list(&self, url_prefix: &str) -> Result<Vec<(String, u64)>, ObjectError> {
        let (bucket, prefix) = bucket_and_key(url_prefix)?;
        if !self.may_list(url_prefix) {
            return Err(denied());
        }
        let mut listed = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = vec![("list-type", "2"), ("prefix", prefix)];
            if let Some(token) = &token {
                query.insert(0, ("continuation-token", token));
            }
            let page = request::page(&self.request(bucket, "", &query)?)?;
            let url = |key: &str| format!("s3://{bucket}/{key}");
            listed.extend(page.contents.into_iter().map(|object| (url(&object.key), object.size)));
            token = page.next;
            if token.is_none() {
                return Ok(listed);
            }
        }
    }
}
