//! Redshift Serverless: namespaces, workgroups and snapshots.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::account::{
    Account, Lifecycle, ServerlessResource, Snapshot, Tags, UsageLimit, timestamp,
};
use crate::{ACCOUNT, ApiError, ApiResult, GROUP, REGION, error, validation};

/// Members of a request. An action removes those that it supports; the remaining ones are an error.
struct Members(Map<String, Value>);

impl Members {
    fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).and_then(|value| value.as_str().map(str::to_owned))
    }

    fn require(&mut self, name: &str) -> Result<String, ApiError> {
        self.text(name).ok_or_else(|| invalid(&format!("{name} is required")))
    }

    fn boolean(&mut self, name: &str) -> bool {
        self.0.remove(name).and_then(|value| value.as_bool()).unwrap_or(false)
    }

    fn number(&mut self, name: &str) -> Option<i64> {
        self.0.remove(name).and_then(|value| value.as_i64())
    }

    fn list(&mut self, name: &str) -> Vec<String> {
        let values = self.0.remove(name).and_then(|value| value.as_array().cloned());
        let values = values.unwrap_or_default();
        values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    fn tags(&mut self) -> Result<Tags, ApiError> {
        let values = self.0.remove("tags").and_then(|value| value.as_array().cloned());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tags = values.unwrap_or_default();
        let tags: Tags = tags.iter().map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect();
        if validation::are_tags(&tags) { Ok(tags) } else { Err(invalid("invalid tags")) }
    }

    fn finish(self) -> Result<(), ApiError> {
        self.0.keys().next().map_or(Ok(()), |name| Err(invalid(&format!("unknown member {name}"))))
    }
}

pub(crate) fn respond(account: &mut Account, action: &str, body: &str) -> ApiResult {
    let request: Value = serde_json::from_str(body)
        .map_err(|_| error(400, "SerializationException", "invalid JSON"))?;
    let members = Members(request.as_object().cloned().unwrap_or_default());
    let response = match action {
        "CreateNamespace" => create_namespace(account, members),
        "CreateWorkgroup" => create_workgroup(account, members),
        "GetNamespace" => get(account, members, "namespace"),
        "GetWorkgroup" => get(account, members, "workgroup"),
        "DeleteNamespace" => delete_namespace(account, members),
        "DeleteWorkgroup" => delete_workgroup(account, members),
        "ListNamespaces" => list(account, members, "namespace"),
        "ListWorkgroups" => list(account, members, "workgroup"),
        "ListTagsForResource" => list_tags(account, members),
        "ListSnapshots" => list_snapshots(account, members),
        "TagResource" => tag_resource(account, members),
        "ListUsageLimits" => list_limits(account, members),
        "CreateUsageLimit" => create_limit(account, members),
        _ => Err(error(400, "UnknownOperationException", action)),
    };
    response.map(|response| response.to_string())
}

fn invalid(message: &str) -> ApiError {
    error(400, "ValidationException", message)
}

fn missing(what: &str) -> ApiError {
    error(400, "ResourceNotFoundException", format!("{what} does not exist"))
}

fn conflict(message: &str) -> ApiError {
    error(400, "ConflictException", message)
}

fn now() -> String {
    timestamp(OffsetDateTime::now_utc())
}

fn create_namespace(account: &mut Account, mut members: Members) -> Result<Value, ApiError> {
    let name = members.require("namespaceName")?;
    let user = members.text("adminUsername").unwrap_or_else(|| "admin".into());
    let database = members.text("dbName").unwrap_or_else(|| "dev".into());
    let is_managed = members.boolean("manageAdminPassword");
    let password = members.text("adminUserPassword");
    let roles = members.list("iamRoles");
    let default = members.text("defaultIamRoleArn");
    let tags = members.tags()?;
    members.finish()?;
    if !validation::is_serverless_name(&name)
        || !validation::is_user_name(&user)
        || !validation::is_database_name(&database)
    {
        return Err(invalid("a name is invalid"));
    }
    if is_managed == password.is_some()
        || password.is_some_and(|password| !validation::is_password(&password))
    {
        return Err(invalid("the password is missing, given twice, or weak"));
    }
    if default.is_some_and(|role| !roles.contains(&role)) {
        return Err(invalid("the default role is not one of the roles"));
    }
    if account.namespaces.contains_key(&name) {
        return Err(conflict("The namespace already exists"));
    }
    for role in &roles {
        for service in ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] {
            account.check_role(role, service).map_err(|message| invalid(&message))?;
        }
    }
    let secret = is_managed.then(|| format!("redshift!{name}-{user}"));
    account.secrets.extend(secret.clone());
    let formatted = |role: &String| format!("IamRole(applyStatus=in-sync, iamRoleArn={role})");
    let id = unique_id(account);
    let mut fields = json!({
        "namespaceName": name, "namespaceId": id,
        "namespaceArn": format!("arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:namespace/{id}"),
        "adminUsername": user, "dbName": database, "creationDate": now(),
        "iamRoles": roles.iter().map(formatted).collect::<Vec<_>>(),
    });
    if let Some(secret) = secret {
        fields["adminPasswordSecretArn"] = crate::secrets::arn(&secret).into();
    }
    let lifecycle = Lifecycle::begin("MODIFYING", account.creation_polls(), "AVAILABLE");
    account.namespaces.insert(name.clone(), ServerlessResource { lifecycle, fields, tags });
    Ok(json!({ "namespace": to_json(&account.namespaces[&name]) }))
}

fn endpoint(account: &Account, name: &str, port: i64) -> Value {
    let host = format!("{name}.{ACCOUNT}.{REGION}.redshift-serverless.amazonaws.com");
    let configured = account.behavior.endpoint.clone();
    let (host, port) = configured.map_or((host, port), |(host, port)| (host, port.into()));
    json!({ "address": host, "port": port })
}

/// ARNs contain an ID, not the name.
fn unique_id(account: &mut Account) -> String {
    format!("11111111-2222-3333-4444-{:012}", account.next_number())
}

fn create_workgroup(account: &mut Account, mut members: Members) -> Result<Value, ApiError> {
    let name = members.require("workgroupName")?;
    let namespace = members.require("namespaceName")?;
    let capacity = members.number("baseCapacity").unwrap_or(128);
    let max = members.number("maxCapacity");
    let port = members.number("port").unwrap_or(5439);
    let public = members.boolean("publiclyAccessible");
    let groups = members.list("securityGroupIds");
    let subnets = members.list("subnetIds");
    let tags = members.tags()?;
    members.finish()?;
    if !validation::is_serverless_name(&name)
        || !validation::is_port(port)
        || !validation::is_capacity(capacity)
    {
        return Err(invalid("name, port or base capacity is invalid"));
    }
    if max.is_some_and(|max| max < capacity || max % 8 != 0) {
        return Err(invalid("the maximum capacity is invalid"));
    }
    if !subnets.is_empty() && subnets.len() < 2 || groups.iter().any(|group| group != GROUP) {
        return Err(invalid("too few subnets, or an unknown security group"));
    }
    let parent = account.namespaces.get(&namespace).ok_or_else(|| missing("The namespace"))?;
    if parent.lifecycle.state != "AVAILABLE" {
        return Err(conflict("The namespace is being modified by another operation"));
    }
    let taken =
        |resource: &ServerlessResource| resource.fields["namespaceName"] == namespace.as_str();
    if account.workgroups.contains_key(&name) || account.workgroups.values().any(taken) {
        return Err(conflict("The workgroup already exists"));
    }
    let id = unique_id(account);
    let fields = json!({
        "workgroupName": name, "namespaceName": namespace, "baseCapacity": capacity, "port": port,
        "workgroupId": id, "maxCapacity": max,
        "workgroupArn": format!("arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{id}"),
        "publiclyAccessible": public, "creationDate": now(), "securityGroupIds": [GROUP],
        "endpoint": endpoint(account, &name, port),
    });
    let lifecycle = Lifecycle::begin("CREATING", account.creation_polls(), "AVAILABLE");
    account.workgroups.insert(name.clone(), ServerlessResource { lifecycle, fields, tags });
    Ok(json!({ "workgroup": to_json(&account.workgroups[&name]) }))
}

fn to_json(resource: &ServerlessResource) -> Value {
    let mut fields = resource.fields.clone();
    fields["status"] = resource.lifecycle.state.clone().into();
    fields
}

fn get(account: &mut Account, mut members: Members, what: &str) -> Result<Value, ApiError> {
    let name = members.require(&format!("{what}Name"))?;
    members.finish()?;
    let clock = account.clock();
    let resources =
        if what == "namespace" { &mut account.namespaces } else { &mut account.workgroups };
    let resource = resources.get_mut(&name).ok_or_else(|| missing(what))?;
    resource.lifecycle.poll(clock);
    if resource.lifecycle.state == "gone" {
        let removed = resources.remove(&name);
        account.usage_limits.retain(|limit| {
            !removed.as_ref().is_some_and(|removed| has_arn(removed, &limit.resource))
        });
        let secret = format!("redshift!{name}-");
        if what == "namespace" && !account.behavior.keeps_leftovers {
            account.secrets.retain(|found| !found.starts_with(&secret));
        }
        return Err(missing(what));
    }
    Ok(json!({ what: to_json(resource) }))
}

fn delete_namespace(account: &mut Account, mut members: Members) -> Result<Value, ApiError> {
    let name = members.require("namespaceName")?;
    let snapshot = members.text("finalSnapshotName");
    members.finish()?;
    let polls = account.behavior.polls;
    let used = |resource: &ServerlessResource| resource.fields["namespaceName"] == name.as_str();
    if account.workgroups.values().any(used) {
        return Err(conflict("There is a workgroup associated with the namespace"));
    }
    let resource = account.namespaces.get_mut(&name).ok_or_else(|| missing("The namespace"))?;
    if resource.lifecycle.state != "AVAILABLE" {
        return Err(conflict("There is an operation running on the namespace"));
    }
    resource.lifecycle = Lifecycle::begin("DELETING", polls, "gone");
    let response = json!({ "namespace": to_json(resource) });
    let owner = format!("namespace/{name}");
    let snapshot = snapshot.map(|name| (name, Snapshot { owner, manual: true }));
    account.snapshots.extend(snapshot);
    Ok(response)
}

fn delete_workgroup(account: &mut Account, mut members: Members) -> Result<Value, ApiError> {
    let name = members.require("workgroupName")?;
    members.finish()?;
    let (polls, clock) = (account.behavior.polls, account.clock());
    let resource = account.workgroups.get_mut(&name).ok_or_else(|| missing("The workgroup"))?;
    if resource.lifecycle.state != "AVAILABLE" {
        // A client may retry the deletion instead of polling the status.
        resource.lifecycle.poll(clock);
        return Err(conflict("There is an operation running on the workgroup"));
    }
    resource.lifecycle = Lifecycle::begin("DELETING", polls, "gone");
    Ok(json!({ "workgroup": to_json(resource) }))
}

fn list(account: &Account, mut members: Members, what: &str) -> Result<Value, ApiError> {
    members.number("maxResults");
    members.finish()?;
    let resources = if what == "namespace" { &account.namespaces } else { &account.workgroups };
    Ok(json!({ format!("{what}s"): resources.values().map(to_json).collect::<Vec<_>>() }))
}

fn has_arn(resource: &ServerlessResource, arn: &str) -> bool {
    resource.fields["namespaceArn"] == arn || resource.fields["workgroupArn"] == arn
}

fn tag_resource(account: &mut Account, mut members: Members) -> Result<Value, ApiError> {
    let arn = members.require("resourceArn")?;
    let tags = members.tags()?;
    members.finish()?;
    let mut resources = account.namespaces.values_mut().chain(account.workgroups.values_mut());
    let found = resources.find(|resource| has_arn(resource, &arn));
    found.ok_or_else(|| missing("The resource"))?.tags.extend(tags);
    Ok(json!({}))
}

fn limit_to_json(limit: &UsageLimit) -> Value {
    let UsageLimit { resource, amount, period, breach_action } = limit;
    json!({ "resourceArn": resource, "usageType": "serverless-compute", "amount": amount,
        "period": period, "breachAction": breach_action })
}

fn list_limits(account: &Account, mut members: Members) -> Result<Value, ApiError> {
    let (arn, _) = (members.require("resourceArn")?, members.text("usageType"));
    members.finish()?;
    let limits = account.usage_limits.iter().filter(|limit| limit.resource == arn);
    Ok(json!({ "usageLimits": limits.map(limit_to_json).collect::<Vec<_>>() }))
}

fn create_limit(account: &mut Account, mut members: Members) -> Result<Value, ApiError> {
    let resource = members.require("resourceArn")?;
    let usage = members.require("usageType")?;
    let amount = members.number("amount").filter(|amount| *amount > 0);
    let period = members.text("period").unwrap_or_else(|| "monthly".into());
    let breach_action = members.text("breachAction").unwrap_or_else(|| "log".into());
    members.finish()?;
    let amount = amount.ok_or_else(|| invalid("the amount is not positive"))?;
    if usage != "serverless-compute"
        || !["daily", "weekly", "monthly"].contains(&period.as_str())
        || !["log", "emit-metric", "deactivate"].contains(&breach_action.as_str())
    {
        return Err(invalid("usage type, period or breach action is invalid"));
    }
    if !account.workgroups.values().any(|workgroup| has_arn(workgroup, &resource)) {
        return Err(missing("The workgroup"));
    }
    let limit = UsageLimit { resource, amount, period, breach_action };
    let response = json!({ "usageLimit": limit_to_json(&limit) });
    account.usage_limits.push(limit);
    Ok(response)
}

fn list_tags(account: &Account, mut members: Members) -> Result<Value, ApiError> {
    let arn = members.require("resourceArn")?;
    members.finish()?;
    let mut resources = account.namespaces.values().chain(account.workgroups.values());
    let found = resources.find(|resource| has_arn(resource, &arn));
    let found = found.ok_or_else(|| missing("The resource"))?;
    let tags = found.tags.iter().map(|(key, value)| json!({ "key": key, "value": value }));
    Ok(json!({ "tags": tags.collect::<Vec<_>>() }))
}

fn list_snapshots(account: &Account, mut members: Members) -> Result<Value, ApiError> {
    let name = members.text("namespaceName");
    members.number("maxResults");
    members.finish()?;
    let of_namespaces = account
        .snapshots
        .iter()
        .filter_map(|(name, it)| Some((name, it.owner.strip_prefix("namespace/")?)));
    let found = of_namespaces.filter(|(_, owner)| name.as_ref().is_none_or(|name| name == owner));
    let found: Vec<Value> = found
        .map(|(name, owner)| json!({ "snapshotName": name, "namespaceName": owner }))
        .collect();
    Ok(json!({ "snapshots": found }))
}
