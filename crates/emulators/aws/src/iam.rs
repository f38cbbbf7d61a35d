//! Roles, what stands in them, and who asks.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::form::Form;
use crate::world::{Role, World};
use crate::xml::{around, response, tag};
use crate::{ACCOUNT, Answer, CALLER, Refusal, refuse, rules};

const VERSION: &str = "2010-05-08";

pub(crate) fn answer(world: &mut World, action: &str, body: &str) -> Answer {
    let form = Form::of(body, VERSION)?;
    let result = match action {
        "CreateRole" => create(world, form),
        "GetRole" => get(world, form),
        "ListRoles" => list(world, form),
        "UpdateAssumeRolePolicy" => trust(world, form),
        "DeleteRole" => delete(world, form),
        "PutRolePolicy" => put(world, form),
        "GetRolePolicy" => get_policy(world, form),
        "ListRolePolicies" => list_policies(world, form),
        "DeleteRolePolicy" => delete_policy(world, form),
        "SimulatePrincipalPolicy" => simulate(world, form),
        _ => Err(refuse(400, "InvalidAction", format!("Could not find operation {action}"))),
    };
    result.map(|result| response(action, &result))
}

/// Who asks.
pub(crate) fn sts(action: &str, body: &str) -> Answer {
    Form::of(body, "2011-06-15")?.end()?;
    if action != "GetCallerIdentity" {
        return Err(refuse(400, "InvalidAction", format!("Could not find operation {action}")));
    }
    let who = tag("Arn", CALLER) + &tag("UserId", "AIDAEXAMPLE") + &tag("Account", ACCOUNT);
    Ok(response(action, &who))
}

/// The ARN of a role.
pub(crate) fn arn(name: &str, role: &Role) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role{}{name}", role.path)
}

fn missing(name: &str) -> Refusal {
    refuse(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

fn find<'a>(world: &'a mut World, name: &str) -> Result<&'a mut Role, Refusal> {
    world.roles.get_mut(name).ok_or_else(|| missing(name))
}

/// A policy has a version and statements with an effect and an action; of one that trusts, a principal that is a service, not the world.
fn check_policy(text: &str, trusts: bool) -> Result<(), Refusal> {
    let malformed = |why: &str| refuse(400, "MalformedPolicyDocument", why);
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
        if trusts && statement["Principal"]["Service"].is_null() {
            return Err(malformed("The principal is no service"));
        }
        let whole = [Value::from("*"), Value::from("s3:*"), Value::from("arn:aws:s3:::*")];
        if !trusts
            && (whole.contains(&statement["Resource"]) || whole.contains(&statement["Action"]))
        {
            // The real one takes it; whoever tests against this one should not grant it.
            return Err(malformed("The policy grants everything"));
        }
        if !trusts && statement["Resource"].is_null() {
            return Err(malformed("A statement lacks its resource"));
        }
    }
    Ok(())
}

fn xml(name: &str, role: &Role) -> String {
    let one = |(key, value): (&String, &String)| {
        around("member", &(tag("Key", key) + &tag("Value", value)))
    };
    let inner = [
        tag("Path", &role.path),
        tag("RoleName", name),
        tag("RoleId", "AROAEXAMPLE"),
        tag("Arn", &arn(name, role)),
        tag("CreateDate", "2026-11-24T00:00:00Z"),
        tag("AssumeRolePolicyDocument", &encoded(&role.trust)),
        around("Tags", &role.tags.iter().map(one).collect::<String>()),
    ];
    inner.concat()
}

fn encoded(policy: &str) -> String {
    utf8_percent_encode(policy, NON_ALPHANUMERIC).to_string()
}

fn create(world: &mut World, mut form: Form) -> Answer {
    let name = form.need("RoleName")?;
    let trust = form.need("AssumeRolePolicyDocument")?;
    let path = form.take("Path").unwrap_or_else(|| "/".into());
    form.take("Description");
    let tags = form.tags("Tags.member");
    form.end()?;
    if name.len() > 64 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
    {
        return Err(refuse(400, "ValidationError", "The role's name is invalid"));
    }
    if !rules::tags(&tags) || !path.starts_with('/') || !path.ends_with('/') {
        return Err(refuse(400, "ValidationError", "A tag or the path is invalid"));
    }
    check_policy(&trust, true)?;
    if world.roles.contains_key(&name) {
        return Err(refuse(
            409,
            "EntityAlreadyExists",
            format!("Role with name {name} already exists."),
        ));
    }
    let invisible = world.manners.invisible;
    let role = Role { path, trust, policies: BTreeMap::new(), tags, invisible };
    let told = xml(&name, &role);
    world.roles.insert(name, role);
    Ok(around("Role", &told))
}

fn get(world: &mut World, mut form: Form) -> Answer {
    let name = form.need("RoleName")?;
    form.end()?;
    find(world, &name).map(|role| around("Role", &xml(&name, role)))
}

fn list(world: &World, mut form: Form) -> Answer {
    let prefix = form.take("PathPrefix").unwrap_or_else(|| "/".into());
    form.end()?;
    let roles = world.roles.iter().filter(|(_, role)| role.path.starts_with(&prefix));
    let roles = roles.map(|(name, role)| {
        // A list has no tags.
        let role = Role { tags: BTreeMap::new(), ..role.clone() };
        around("member", &xml(name, &role))
    });
    Ok(around("Roles", &roles.collect::<String>()) + &tag("IsTruncated", "false"))
}

fn trust(world: &mut World, mut form: Form) -> Answer {
    let (name, policy) = (form.need("RoleName")?, form.need("PolicyDocument")?);
    form.end()?;
    check_policy(&policy, true)?;
    find(world, &name)?.trust = policy;
    Ok(String::new())
}

fn delete(world: &mut World, mut form: Form) -> Answer {
    let name = form.need("RoleName")?;
    form.end()?;
    if !find(world, &name)?.policies.is_empty() {
        return Err(refuse(
            409,
            "DeleteConflict",
            "Cannot delete entity, must delete policies first.",
        ));
    }
    world.roles.remove(&name);
    Ok(String::new())
}

fn put(world: &mut World, mut form: Form) -> Answer {
    let (name, policy) = (form.need("RoleName")?, form.need("PolicyName")?);
    let document = form.need("PolicyDocument")?;
    form.end()?;
    check_policy(&document, false)?;
    find(world, &name)?.policies.insert(policy, document);
    Ok(String::new())
}

fn get_policy(world: &mut World, mut form: Form) -> Answer {
    let (name, policy) = (form.need("RoleName")?, form.need("PolicyName")?);
    form.end()?;
    let document = find(world, &name)?.policies.get(&policy).cloned();
    let document = document.ok_or_else(|| missing(&name))?;
    Ok(tag("RoleName", &name)
        + &tag("PolicyName", &policy)
        + &tag("PolicyDocument", &encoded(&document)))
}

fn list_policies(world: &mut World, mut form: Form) -> Answer {
    let name = form.need("RoleName")?;
    form.end()?;
    let policies = &find(world, &name)?.policies;
    let members: String = policies.keys().map(|policy| tag("member", policy)).collect();
    Ok(around("PolicyNames", &members) + &tag("IsTruncated", "false"))
}

fn delete_policy(world: &mut World, mut form: Form) -> Answer {
    let (name, policy) = (form.need("RoleName")?, form.need("PolicyName")?);
    form.end()?;
    let removed = find(world, &name)?.policies.remove(&policy);
    removed.map(|_| String::new()).ok_or_else(|| missing(&name))
}

/// Allowed is what an inline statement names, `*` at an end standing for anything.
fn simulate(world: &mut World, mut form: Form) -> Answer {
    let role = form.need("PolicySourceArn")?;
    let actions = form.list("ActionNames.member");
    let resources = form.list("ResourceArns.member");
    form.end()?;
    if world.manners.no_simulator {
        return Err(refuse(
            403,
            "AccessDenied",
            "not authorized to perform iam:SimulatePrincipalPolicy",
        ));
    }
    let name = role.rsplit('/').next().unwrap_or_default().to_owned();
    let policies: Vec<Value> = find(world, &name)?
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
            results += &around("member", &(inner + &tag("EvalDecision", decision)));
        }
    }
    Ok(around("EvaluationResults", &results) + &tag("IsTruncated", "false"))
}

fn allows(policy: &Value, action: &str, resource: &str) -> bool {
    let many = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let fits = |pattern: &Value, text: &str| {
        let pattern = pattern.as_str().unwrap_or_default();
        pattern.strip_suffix('*').map_or(pattern == text, |start| text.starts_with(start))
    };
    many(&policy["Statement"]).iter().any(|statement| {
        many(&statement["Action"]).iter().any(|found| found == action)
            && many(&statement["Resource"]).iter().any(|found| fits(found, resource))
    })
}
