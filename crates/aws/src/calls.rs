//! JSON services: one action, its input, its output or the service's refusal.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::AwsError;
use super::client::{Client, Request, failed};
use sparkify_config::{Access, redact};

/// Names of a service.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Name in signatures and host names.
    pub name: &'static str,
    /// ID in the SDK, by which the environment and profiles set its endpoint.
    pub id: &'static str,
    /// Prefix of an action's name.
    pub target: &'static str,
}

/// Client of one JSON service.
#[derive(Debug)]
pub struct Calls {
    client: Client,
    service: Service,
    endpoint: Option<String>,
}

/// Result of a call that reached the service.
#[derive(Debug)]
pub enum Called {
    /// The output of the action.
    Answer(Value),
    /// The service refused.
    Refused {
        /// Error code.
        code: String,
        /// Error message, without secrets.
        message: String,
    },
}

impl Calls {
    /// Resolves region, endpoint and credentials of `service`. Fails if no region is configured.
    pub fn new(access: &Access, service: Service) -> Result<Self, AwsError> {
        let client = Client::in_region(access, service.name)?;
        let endpoint = client.endpoint(service.id)?;
        Ok(Self { client, service, endpoint })
    }

    /// Calls `action`. `patience` is added to the read timeout, for actions that wait on purpose.
    pub fn call(
        &self,
        action: &'static str,
        input: &Value,
        patience: Duration,
    ) -> Result<Called, AwsError> {
        let name = self.service.name;
        let url = |region: &str| match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/"),
            None if region.starts_with("cn-") => {
                format!("https://{name}.{region}.amazonaws.com.cn/")
            }
            None => format!("https://{name}.{region}.amazonaws.com/"),
        };
        let headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("{}.{action}", self.service.target)),
        ];
        let (doing, location) = ("call", action);
        let body = input.to_string().into_bytes();
        let request =
            Request { method: Method::POST, url: &url, headers, body, patience, doing, location };
        let answer = self.client.send(&request)?;
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        match (answer.is_good(), body) {
            (true, Some(body)) => Ok(Called::Answer(body)),
            (false, Some(body)) => Ok(refusal(&body, answer.status)),
            (_, None) => Err(AwsError {
                hint: "check that AWS_ENDPOINT_URL names a server of this service".into(),
                ..failed(&request, format!("the response is not JSON (HTTP {})", answer.status))
            }),
        }
    }
}

/// Parses a refusal. `__type` may have a namespace before `#`; services differ in the case of
/// `message`.
fn refusal(body: &Value, status: u16) -> Called {
    let text = |names: [&str; 2]| names.iter().find_map(|name| body.get(name)?.as_str());
    let code = text(["__type", "code"]).unwrap_or_default();
    let code: String = code.rsplit('#').next().unwrap_or_default().chars().take(80).collect();
    let code = if code.is_empty() { format!("HTTP {status}") } else { code };
    let message = text(["message", "Message"]).unwrap_or_default();
    Called::Refused { code, message: redact::without_secrets(message) }
}
