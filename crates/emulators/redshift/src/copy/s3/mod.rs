//! Objects by real HTTP, read as a role: with its key, and only what its policy allows.
//!
//! DG/copy-parameters-authorization.html and DG/copy-usage_notes-access-permissions.html: a role must be known to the cluster, may LIST the bucket and GET its
//! objects. As in S3, a missing object is *denied* to whoever may not list. What passes is tried again, a bounded number of times
//! (DG/copy-usage_notes-multiple-files.html speaks of 15 to 30 minutes); then the load fails whole. Words of the store are not repeated: they may hold anything.

mod request;
mod sign;

use std::time::Duration;

use super::statement::{Authorization, Copy};
use super::{Failure, ObjectError, Objects};

/// What a role may do below a prefix.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Allowed {
    /// `s3://bucket/data/`
    pub prefix: String,
    pub list: bool,
    pub get: bool,
}

impl Allowed {
    /// Both, as `AmazonS3ReadOnlyAccess` on a prefix.
    pub fn all(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), list: true, get: true }
    }
}

/// A role that is attached to the cluster.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct Role {
    pub arn: String,
    /// The key that the store knows.
    pub key: String,
    pub secret: String,
    pub allowed: Vec<Allowed>,
}

/// The store, as the cluster reaches it.
#[derive(Clone)]
pub struct Store {
    /// `http://localhost:9000`; buckets are paths below it.
    pub endpoint: String,
    /// Where the cluster is, and where buckets are without REGION.
    pub region: String,
    /// The roles of the cluster; the first is the default.
    pub roles: Vec<Role>,
    /// A request is tried so often,
    pub attempts: u32,
    /// with a pause that begins so and doubles.
    pub pause: Duration,
}

impl Store {
    /// A store without roles.
    pub fn new(endpoint: &str, region: &str) -> Self {
        let (endpoint, region) = (endpoint.trim_end_matches('/').to_owned(), region.to_owned());
        Self { endpoint, region, roles: Vec::new(), attempts: 5, pause: Duration::from_millis(5) }
    }

    /// The objects as the statement's role may read them.
    pub fn open(&self, copy: &Copy) -> Result<Bucket, Failure> {
        let role = match &copy.authorization {
            Authorization::DefaultRole => self.roles.first().cloned().ok_or_else(|| {
                let message = "The default IAM role is not set for the cluster";
                Failure::object(&ObjectError::Invalid(message.to_owned()))
            })?,
            Authorization::Role(chain) => self.assume(chain)?,
            Authorization::Key { id, secret, .. } => Role {
                arn: String::new(),
                key: id.clone(),
                secret: secret.clone(),
                allowed: vec![Allowed::all("s3://")],
            },
        };
        let region = copy.options.region.clone().unwrap_or_else(|| self.region.clone());
        Ok(Bucket { store: self.clone(), agent: request::agent(), role, region })
    }

    /// The last role of a chain; each must be known.
    fn assume(&self, chain: &str) -> Result<Role, Failure> {
        let find = |arn: &str| {
            let found = self.roles.iter().find(|role| role.arn == arn);
            found.ok_or_else(|| Failure::object(&ObjectError::NotAuthorized(arn.to_owned())))
        };
        let mut last = None;
        for arn in chain.split(',').map(str::trim) {
            last = Some(find(arn)?);
        }
        last.cloned().ok_or_else(|| Failure::object(&ObjectError::NotAuthorized(chain.to_owned())))
    }
}

/// The objects of a store, as one role reads them.
pub struct Bucket {
    store: Store,
    agent: ureq::Agent,
    role: Role,
    region: String,
}

impl Bucket {
    fn may(&self, url: &str, what: impl Fn(&Allowed) -> bool) -> bool {
        self.role.allowed.iter().any(|allowed| what(allowed) && url.starts_with(&allowed.prefix))
    }
}

fn denied() -> ObjectError {
    ObjectError::Refused {
        status: 403,
        code: "AccessDenied".to_owned(),
        message: "Access Denied".to_owned(),
    }
}

/// Bucket and key of `s3://bucket/key`.
fn place(url: &str) -> Result<(&str, &str), ObjectError> {
    let place = url.strip_prefix("s3://").filter(|place| !place.is_empty());
    let place = place.ok_or_else(|| ObjectError::Invalid(format!("'{url}' is no place in S3")))?;
    Ok(place.split_once('/').unwrap_or((place, "")))
}

impl Objects for Bucket {
    fn get(&self, url: &str) -> Result<Vec<u8>, ObjectError> {
        let (bucket, key) = place(url)?;
        if !self.may(url, |allowed| allowed.get) {
            return Err(denied());
        }
        match self.request(bucket, key, &[]) {
            Err(ObjectError::NotFound(_)) if self.may(url, |allowed| allowed.list) => {
                Err(ObjectError::NotFound(url.to_owned()))
            }
            Err(ObjectError::NotFound(_)) => Err(denied()),
            answer => answer,
        }
    }

    fn list(&self, url_prefix: &str) -> Result<Vec<(String, u64)>, ObjectError> {
        let (bucket, prefix) = place(url_prefix)?;
        if !self.may(url_prefix, |allowed| allowed.list) {
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
