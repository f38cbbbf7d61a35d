//! Secrets Manager: lists the secrets with the passwords that AWS manages for clusters.

use serde_json::{Value, json};

use crate::account::Account;
use crate::{ACCOUNT, ApiResult, REGION, error};

/// Returns the ARN of a secret.
pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf")
}

pub(crate) fn respond(account: &Account, action: &str, body: &str) -> ApiResult {
    let request: Value = serde_json::from_str(body)
        .map_err(|_| error(400, "SerializationException", "invalid JSON"))?;
    let known = ["Filters", "MaxResults"];
    let members = request.as_object().cloned().unwrap_or_default();
    if action != "ListSecrets" || members.keys().any(|key| !known.contains(&key.as_str())) {
        return Err(error(400, "InvalidParameterException", "unknown action or member"));
    }
    let filter = &request["Filters"][0];
    if filter["Key"] != "name" {
        return Err(error(400, "InvalidParameterException", "unknown filter"));
    }
    // The filter is a prefix of the name.
    let prefix = filter["Values"][0].as_str().unwrap_or_default();
    let found = account.secrets.iter().filter(|name| name.starts_with(prefix));
    let found: Vec<Value> = found.map(|name| json!({ "Name": name, "ARN": arn(name) })).collect();
    Ok(json!({ "SecretList": found }).to_string())
}
