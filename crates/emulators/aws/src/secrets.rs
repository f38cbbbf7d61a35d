//! The secrets that AWS keeps for clusters: they come and go with them, and can be listed.

use serde_json::{Value, json};

use crate::world::World;
use crate::{ACCOUNT, Answer, REGION, refuse};

/// The ARN of a secret.
pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf")
}

pub(crate) fn answer(world: &World, action: &str, body: &str) -> Answer {
    let asked: Value =
        serde_json::from_str(body).map_err(|_| refuse(400, "SerializationException", "no JSON"))?;
    let known = ["Filters", "MaxResults"];
    let members = asked.as_object().cloned().unwrap_or_default();
    if action != "ListSecrets" || members.keys().any(|key| !known.contains(&key.as_str())) {
        return Err(refuse(400, "InvalidParameterException", "not known"));
    }
    let filter = &asked["Filters"][0];
    if filter["Key"] != "name" {
        return Err(refuse(400, "InvalidParameterException", "the filter is not known"));
    }
    // Names are compared from their beginning.
    let start = filter["Values"][0].as_str().unwrap_or_default();
    let found = world.secrets.iter().filter(|name| name.starts_with(start));
    let found: Vec<Value> = found.map(|name| json!({ "Name": name, "ARN": arn(name) })).collect();
    Ok(json!({ "SecretList": found }).to_string())
}
