//! A service that is called in JSON: one action, what it takes, what it answers or why not.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::AwsError;
use super::client::{Client, Request, failed};
use sparkify_config::Access;

/// The way to one service of that kind.
#[derive(Debug)]
pub struct Calls {
    client: Client,
    service: &'static str,
    /// What stands before an action's name.
    target: &'static str,
    /// A server other than Amazon's.
    endpoint: Option<String>,
}

/// What a call came to.
#[derive(Debug)]
pub enum Called {
    /// What the service answers.
    Answer(Value),
    /// The service said no: its code and its words.
    Refused {
        /// The name of the error.
        code: String,
        /// What it says.
        message: String,
    },
}

impl Calls {
    /// `service` as it stands in signatures and names of servers, `target` as the service is called in JSON.
    pub fn new(
        access: &Access,
        service: &'static str,
        target: &'static str,
        endpoint: Option<String>,
    ) -> Result<Self, AwsError> {
        Ok(Self { client: Client::new(access, service)?, service, target, endpoint })
    }

    /// Calls `action`; a service that waits on purpose is given `patience` more.
    pub fn call(
        &self,
        action: &'static str,
        input: &Value,
        patience: Duration,
    ) -> Result<Called, AwsError> {
        let url = |region: &str| match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/"),
            None if region.starts_with("cn-") => {
                format!("https://{}.{region}.amazonaws.com.cn/", self.service)
            }
            None => format!("https://{}.{region}.amazonaws.com/", self.service),
        };
        let headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("{}.{action}", self.target)),
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
                ..failed(&request, format!("the answer is no JSON (HTTP {})", answer.status))
            }),
        }
    }
}

/// `__type` may have a namespace in front, and a message its name in either case.
fn refusal(body: &Value, status: u16) -> Called {
    let text = |names: [&str; 2]| names.iter().find_map(|name| body.get(name)?.as_str());
    let code = text(["__type", "code"]).unwrap_or_default();
    let code: String = code.rsplit('#').next().unwrap_or_default().chars().take(80).collect();
    let code = if code.is_empty() { format!("HTTP {status}") } else { code };
    let message = text(["message", "Message"]).unwrap_or_default();
    Called::Refused { code, message: sparkify_config::redact::without_secrets(message) }
}
