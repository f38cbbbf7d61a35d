//! Emulator of the AWS control plane, as far as `sparkify cluster` uses it: Redshift, Redshift
//! Serverless, IAM, STS, four actions of EC2 and one of Secrets Manager, over HTTP.
//!
//! It is stricter than AWS. It verifies signatures, rejects unknown parameters, and rejects what
//! only the prose of the documentation forbids. Creations and deletions complete after a number of
//! status requests, and new roles become visible after a number of uses; neither depends on time.
//! Tests can inject errors, stop the progress of state changes, and inspect the remaining
//! resources.
//!
//! A test can give the caller policies: then `authorization` derives the permissions that AWS checks
//! for a call, and `policy` evaluates the policies with IAM's semantics.
//!
//! `http` is the server, `signature` verifies requests, `parameters` and `xml` implement the Query
//! protocol, `account` holds the state, and each service has a file.

mod account;
mod authorization;
mod ec2;
mod http;
mod iam;
mod parameters;
mod policy;
mod redshift;
mod secrets;
mod serverless;
mod signature;
mod validation;
mod xml;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use account::{
    Account, Behavior, Cluster, IngressRule, Lifecycle, Role, ServerlessResource, Snapshot,
    UsageLimit,
};
pub use policy::{Permission, Policy};

/// ID of the only valid access key.
pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// Secret of [`KEY`].
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// Account of all resources.
pub const ACCOUNT: &str = "123456789012";
/// ARN of the user to whom [`KEY`] belongs.
pub const CALLER: &str = "arn:aws:iam::123456789012:user/tester";
/// Region of all resources.
pub const REGION: &str = "us-west-2";
/// The only security group; clusters get it by default.
pub const GROUP: &str = "sg-0123456789abcdef0";

/// Running emulator. Its threads end with the process.
#[derive(Debug)]
pub struct Server {
    address: String,
    url: String,
    account: Arc<Mutex<Account>>,
    connections: Arc<http::Connections>,
}

impl Server {
    /// Starts an emulator on a free port of the loopback interface.
    pub fn start(behavior: Behavior) -> std::io::Result<Self> {
        let account = Arc::new(Mutex::new(Account::new(behavior)));
        let shared = Arc::clone(&account);
        let connections = Arc::default();
        let address = http::listen(&connections, move |request| respond(request, &shared))?;
        Ok(Self { url: format!("http://{address}"), address, account, connections })
    }

    /// Returns the base URL, which serves as the endpoint of all services.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Locks the state of the account, to inspect or change it.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until no connection is open. After the end of a client, all its requests are
    /// processed then.
    ///
    /// # Panics
    /// If a connection is still open after a minute.
    pub fn wait_until_disconnected(&self) {
        self.connections.wait_until_closed(&self.address);
    }
}

/// Body of a successful response, or an error.
type ApiResult = Result<String, ApiError>;

/// Error response.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub status: u16,
    pub code: String,
    pub message: String,
}

pub(crate) fn error(status: u16, code: &str, message: impl Into<String>) -> ApiError {
    ApiError { status, code: code.into(), message: message.into() }
}

fn respond(request: &http::Request, account: &Mutex<Account>) -> http::Response {
    if request.method == "GET" {
        return match request.path.as_str() {
            // Replaces the web service that returns the client's public address.
            "/checkip" => http::Response::text(200, "203.0.113.7\n"),
            _ => http::Response::text(404, "not found"),
        };
    }
    if request.method == "HEAD" {
        return http::Response::bucket(REGION);
    }
    let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
    let service = signature::service(request).unwrap_or_default();
    let action = action_of(request);
    account.record_call(&service, &action);
    let checked = signature::verify(request, &service, account.behavior.region)
        .and_then(|()| authorize(&account, &service, &action, &request.body))
        .and_then(|()| account.injected_error(&action));
    let result = checked.and_then(|()| match service.as_str() {
        "redshift" => redshift::respond(&mut account, &action, &request.body),
        "redshift-serverless" => serverless::respond(&mut account, &action, &request.body),
        "iam" => iam::respond(&mut account, &action, &request.body),
        "sts" => iam::respond_sts(&action, &request.body),
        "ec2" => ec2::respond(&mut account, &action, &request.body),
        "secretsmanager" => secrets::respond(&account, &action, &request.body),
        other => Err(error(403, "SignatureDoesNotMatch", format!("no service `{other}`"))),
    });
    http::Response::of(&service, result)
}

/// Checks the caller's policies, if a test set any.
fn authorize(account: &Account, service: &str, action: &str, body: &str) -> Result<(), ApiError> {
    let Some(policies) = &account.policies else { return Ok(()) };
    let needed = authorization::required(account, service, action, body);
    let Some(denied) = needed.iter().find(|call| !Policy::allow(policies, call)) else {
        return Ok(());
    };
    let code = match service {
        "redshift-serverless" | "secretsmanager" => "AccessDeniedException",
        "ec2" => "UnauthorizedOperation",
        _ => "AccessDenied",
    };
    let Permission { action, resource, .. } = denied;
    let message =
        format!("User: {CALLER} is not authorized to perform: {action} on resource: {resource}");
    Err(error(403, code, message))
}

/// Returns the requested action: JSON services have it in a header, the others in the parameters.
fn action_of(request: &http::Request) -> String {
    match request.header("x-amz-target") {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => parameters::Parameters::parse(&request.body).take("Action").unwrap_or_default(),
    }
}
