//! IAM: roles, inline policies and the policy simulator. STS: the identity of the caller.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::account::{Account, Role};
use crate::parameters::Parameters;
use crate::xml::{element, response, tag};
use crate::{ACCOUNT, ApiError, ApiResult, CALLER, error, validation};

const VERSION: &str = "2010-05-08";

pub(crate) fn respond(account: &mut Account, action: &str, body: &str) -> ApiResult {
    let parameters = Parameters::of(body, VERSION)?;
    let result = match action {
        "CreateRole" => create(account, parameters),
        "GetRole" => get(account, parameters),
        "ListRoles" => list(account, parameters),
        "UpdateAssumeRolePolicy" => update_trust(account, parameters),
        "DeleteRole" => delete(account, parameters),
        "PutRolePolicy" => put_policy(account, parameters),
        "GetRolePolicy" => get_policy(account, parameters),
        "ListRolePolicies" => list_policies(account, parameters),
        "DeleteRolePolicy" => delete_policy(account, parameters),
        "ListAttachedRolePolicies" => list_attached(account, parameters),
        "TagRole" => tag_role(account, parameters),
        "UntagRole" => untag_role(account, parameters),
        "SimulatePrincipalPolicy" => simulate(account, parameters),
        _ => Err(error(400, "InvalidAction", format!("Could not find operation {action}"))),
    };
    result.map(|result| response(action, &result))
}

pub(crate) fn respond_sts(action: &str, body: &str) -> ApiResult {
    Parameters::of(body, "2011-06-15")?.finish()?;
    if action != "GetCallerIdentity" {
        return Err(error(400, "InvalidAction", format!("Could not find operation {action}")));
    }
    let identity = tag("Arn", CALLER) + &tag("UserId", "AIDAEXAMPLE") + &tag("Account", ACCOUNT);
    Ok(response(action, &identity))
}

/// Returns the ARN of a role.
pub(crate) fn arn(name: &str, role: &Role) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role{}{name}", role.path)
}

fn missing(name: &str) -> ApiError {
    error(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

fn find<'a>(account: &'a mut Account, name: &str) -> Result<&'a mut Role, ApiError> {
    account.roles.get_mut(name).ok_or_else(|| missing(name))
}

/// Checks a policy: it has a version, and statements with an effect and an action. A trust policy
/// has a service as its principal, other policies a resource.
fn check_policy(text: &str, is_trust: bool) -> Result<(), ApiError> {
    let malformed = |why: &str| error(400, "MalformedPolicyDocument", why);
    let policy: Value =
        serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))?;
    if policy["Version"] != "2012-10-17" {
        return Err(malformed("The policy has no version"));
    }
    let statements =
        policy["Statement"].as_array().ok_or_else(|| malformed("There are no statements"))?;
    for statement in statements {
        if statement["Effect"] != "Allow" || statement["Action"].is_null() {
            return Err(malformed("A statement lacks its effect or action"));
        }
        if is_trust && statement["Principal"]["Service"].is_null() {
            return Err(malformed("The principal is not a service"));
        }
        let wildcards = [Value::from("*"), Value::from("s3:*"), Value::from("arn:aws:s3:::*")];
        if !is_trust
            && (wildcards.contains(&statement["Resource"])
                || wildcards.contains(&statement["Action"]))
        {
            // AWS accepts it, but sparkify must not grant that much.
            return Err(malformed("The policy grants everything"));
        }
        if !is_trust && statement["Resource"].is_null() {
            return Err(malformed("A statement lacks its resource"));
        }
    }
    Ok(())
}

fn xml(name: &str, role: &Role) -> String {
    let one = |(key, value): (&String, &String)| {
        element("member", &(tag("Key", key) + &tag("Value", value)))
    };
    let inner = [
        tag("Path", &role.path),
        tag("RoleName", name),
        tag("RoleId", "AROAEXAMPLE"),
        tag("Arn", &arn(name, role)),
        tag("CreateDate", "2026-11-24T00:00:00Z"),
        tag("AssumeRolePolicyDocument", &encoded(&role.trust)),
        role.boundary.as_ref().map_or(String::new(), |arn| {
            let kind = tag("PermissionsBoundaryType", "Policy");
            element("PermissionsBoundary", &(kind + &tag("PermissionsBoundaryArn", arn)))
        }),
        element("Tags", &role.tags.iter().map(one).collect::<String>()),
    ];
    inner.concat()
}

fn encoded(policy: &str) -> String {
    utf8_percent_encode(policy, NON_ALPHANUMERIC).to_string()
}

fn create(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("RoleName")?;
    let trust = parameters.require("AssumeRolePolicyDocument")?;
    let path = parameters.take("Path").unwrap_or_else(|| "/".into());
    parameters.take("Description");
    let boundary = parameters.take("PermissionsBoundary");
    let tags = parameters.tags("Tags.member");
    parameters.finish()?;
    if name.len() > 64 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
    {
        return Err(error(400, "ValidationError", "The role's name is invalid"));
    }
    if !validation::are_tags(&tags) || !path.starts_with('/') || !path.ends_with('/') {
        return Err(error(400, "ValidationError", "A tag or the path is invalid"));
    }
    check_policy(&trust, true)?;
    if account.roles.contains_key(&name) {
        return Err(error(
            409,
            "EntityAlreadyExists",
            format!("Role with name {name} already exists."),
        ));
    }
    let delay = account.behavior.role_delay;
    let (policies, attached) = (BTreeMap::new(), Vec::new());
    let role = Role { path, trust, policies, attached, boundary, tags, delay };
    let response = xml(&name, &role);
    account.roles.insert(name, role);
    Ok(element("Role", &response))
}

fn get(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("RoleName")?;
    parameters.finish()?;
    find(account, &name).map(|role| element("Role", &xml(&name, role)))
}

fn list(account: &Account, mut parameters: Parameters) -> ApiResult {
    let prefix = parameters.take("PathPrefix").unwrap_or_else(|| "/".into());
    parameters.finish()?;
    let roles = account.roles.iter().filter(|(_, role)| role.path.starts_with(&prefix));
    let roles = roles.map(|(name, role)| {
        // ListRoles returns neither tags nor the boundary.
        let role = Role { tags: BTreeMap::new(), boundary: None, ..role.clone() };
        element("member", &xml(name, &role))
    });
    Ok(element("Roles", &roles.collect::<String>()) + &tag("IsTruncated", "false"))
}

fn update_trust(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let (name, policy) = (parameters.require("RoleName")?, parameters.require("PolicyDocument")?);
    parameters.finish()?;
    check_policy(&policy, true)?;
    find(account, &name)?.trust = policy;
    Ok(String::new())
}

fn delete(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("RoleName")?;
    parameters.finish()?;
    let role = find(account, &name)?;
    if !role.policies.is_empty() || !role.attached.is_empty() {
        return Err(error(
            409,
            "DeleteConflict",
            "Cannot delete entity, must delete policies first.",
        ));
    }
    account.roles.remove(&name);
    Ok(String::new())
}

fn put_policy(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let (name, policy) = (parameters.require("RoleName")?, parameters.require("PolicyName")?);
    let document = parameters.require("PolicyDocument")?;
    parameters.finish()?;
    check_policy(&document, false)?;
    find(account, &name)?.policies.insert(policy, document);
    Ok(String::new())
}

fn get_policy(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let (name, policy) = (parameters.require("RoleName")?, parameters.require("PolicyName")?);
    parameters.finish()?;
    let document = find(account, &name)?.policies.get(&policy).cloned();
    let document = document.ok_or_else(|| missing(&name))?;
    Ok(tag("RoleName", &name)
        + &tag("PolicyName", &policy)
        + &tag("PolicyDocument", &encoded(&document)))
}

fn list_policies(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("RoleName")?;
    parameters.finish()?;
    let policies = &find(account, &name)?.policies;
    let members: String = policies.keys().map(|policy| tag("member", policy)).collect();
    Ok(element("PolicyNames", &members) + &tag("IsTruncated", "false"))
}

fn list_attached(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("RoleName")?;
    parameters.finish()?;
    let one = |policy: &String| {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        element("member", &(tag("PolicyName", policy) + &tag("PolicyArn", &arn)))
    };
    let members: String = find(account, &name)?.attached.iter().map(one).collect();
    Ok(element("AttachedPolicies", &members) + &tag("IsTruncated", "false"))
}

fn tag_role(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("RoleName")?;
    let tags = parameters.tags("Tags.member");
    parameters.finish()?;
    let role = find(account, &name)?;
    role.tags.extend(tags);
    if role.tags.len() <= 50 && validation::are_tags(&role.tags) {
        return Ok(String::new());
    }
    Err(error(400, "InvalidInput", "A tag is invalid, or there are too many"))
}

fn untag_role(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("RoleName")?;
    let keys = parameters.list("TagKeys.member");
    parameters.finish()?;
    let role = find(account, &name)?;
    role.tags.retain(|key, _| !keys.contains(key));
    Ok(String::new())
}

fn delete_policy(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let (name, policy) = (parameters.require("RoleName")?, parameters.require("PolicyName")?);
    parameters.finish()?;
    let removed = find(account, &name)?.policies.remove(&policy);
    removed.map(|_| String::new()).ok_or_else(|| missing(&name))
}

/// Simulates only the inline policies of the role. A `*` is supported at the end of a resource.
fn simulate(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let role = parameters.require("PolicySourceArn")?;
    let actions = parameters.list("ActionNames.member");
    let resources = parameters.list("ResourceArns.member");
    parameters.finish()?;
    if account.behavior.denies_simulation {
        return Err(error(
            403,
            "AccessDenied",
            "not authorized to perform iam:SimulatePrincipalPolicy",
        ));
    }
    let name = role.rsplit('/').next().unwrap_or_default().to_owned();
    let policies: Vec<Value> = find(account, &name)?
        .policies
        .values()
        .filter_map(|policy| serde_json::from_str(policy).ok())
        .collect();
    let mut results = String::new();
    for action in &actions {
        for resource in &resources {
            let allowed = policies.iter().any(|policy| allows(policy, action, resource));
            let decision = if allowed { "allowed" } else { "implicitDeny" };
            let inner = tag("EvalActionName", action) + &tag("EvalResourceName", resource);
            results += &element("member", &(inner + &tag("EvalDecision", decision)));
        }
    }
    Ok(element("EvaluationResults", &results) + &tag("IsTruncated", "false"))
}

fn allows(policy: &Value, action: &str, resource: &str) -> bool {
    let list = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let matches = |pattern: &Value, text: &str| {
        let pattern = pattern.as_str().unwrap_or_default();
        pattern.strip_suffix('*').map_or(pattern == text, |start| text.starts_with(start))
    };
    list(&policy["Statement"]).iter().any(|statement| {
        list(&statement["Action"]).iter().any(|found| found == action)
            && list(&statement["Resource"]).iter().any(|found| matches(found, resource))
    })
}
