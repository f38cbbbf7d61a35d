//! Namespaces and workgroups, in JSON.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::world::{Life, Part, Tags, World, written};
use crate::{ACCOUNT, Answer, GROUP, REGION, Refusal, refuse, rules};

/// What a call holds; what is not taken out of it is not known.
struct Asked(Map<String, Value>);

impl Asked {
    fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).and_then(|value| value.as_str().map(str::to_owned))
    }

    fn need(&mut self, name: &str) -> Result<String, Refusal> {
        self.text(name).ok_or_else(|| invalid(&format!("{name} is required")))
    }

    fn flag(&mut self, name: &str) -> bool {
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

    fn tags(&mut self) -> Result<Tags, Refusal> {
        let values = self.0.remove("tags").and_then(|value| value.as_array().cloned());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tags = values.unwrap_or_default();
        let tags: Tags = tags.iter().map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect();
        if rules::tags(&tags) { Ok(tags) } else { Err(invalid("invalid tags")) }
    }

    fn end(self) -> Result<(), Refusal> {
        self.0.keys().next().map_or(Ok(()), |name| Err(invalid(&format!("{name} is not known"))))
    }
}

pub(crate) fn answer(world: &mut World, action: &str, body: &str) -> Answer {
    let asked: Value =
        serde_json::from_str(body).map_err(|_| refuse(400, "SerializationException", "no JSON"))?;
    let asked = Asked(asked.as_object().cloned().unwrap_or_default());
    let answer = match action {
        "CreateNamespace" => create_namespace(world, asked),
        "CreateWorkgroup" => create_workgroup(world, asked),
        "GetNamespace" => get(world, asked, "namespace"),
        "GetWorkgroup" => get(world, asked, "workgroup"),
        "DeleteNamespace" => delete_namespace(world, asked),
        "DeleteWorkgroup" => delete_workgroup(world, asked),
        "ListNamespaces" => list(world, asked, "namespace"),
        "ListWorkgroups" => list(world, asked, "workgroup"),
        "ListTagsForResource" => tags(world, asked),
        "ListSnapshots" => snapshots(world, asked),
        _ => Err(refuse(400, "UnknownOperationException", action)),
    };
    answer.map(|answer| answer.to_string())
}

fn invalid(message: &str) -> Refusal {
    refuse(400, "ValidationException", message)
}

fn missing(what: &str) -> Refusal {
    refuse(400, "ResourceNotFoundException", format!("{what} does not exist"))
}

fn conflict(message: &str) -> Refusal {
    refuse(400, "ConflictException", message)
}

fn looks(world: &World) -> u32 {
    if world.manners.endless { u32::MAX } else { world.manners.looks }
}

fn now() -> String {
    written(OffsetDateTime::now_utc())
}

fn create_namespace(world: &mut World, mut asked: Asked) -> Result<Value, Refusal> {
    let name = asked.need("namespaceName")?;
    let user = asked.text("adminUsername").unwrap_or_else(|| "admin".into());
    let database = asked.text("dbName").unwrap_or_else(|| "dev".into());
    let managed = asked.flag("manageAdminPassword");
    let password = asked.text("adminUserPassword");
    let roles = asked.list("iamRoles");
    let default = asked.text("defaultIamRoleArn");
    let labels = asked.tags()?;
    asked.end()?;
    if !rules::serverless_name(&name) || !rules::user(&user) || !rules::database(&database) {
        return Err(invalid("a name is invalid"));
    }
    if managed == password.is_some() || password.is_some_and(|word| !rules::password(&word)) {
        return Err(invalid("the password is missing, given twice, or weak"));
    }
    if default.is_some_and(|role| !roles.contains(&role)) {
        return Err(invalid("the default role is none of the roles"));
    }
    if world.namespaces.contains_key(&name) {
        return Err(conflict("The namespace already exists"));
    }
    for role in &roles {
        for service in ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] {
            world.check_role(role, service).map_err(|message| invalid(&message))?;
        }
    }
    let secret = managed.then(|| format!("redshift!{name}-{user}"));
    world.secrets.extend(secret.clone());
    let told = |role: &String| format!("IamRole(applyStatus=in-sync, iamRoleArn={role})");
    let mut fields = json!({
        "namespaceName": name, "namespaceId": "11111111-2222-3333-4444-555555555555",
        "namespaceArn": format!("arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:namespace/{name}"),
        "adminUsername": user, "dbName": database, "creationDate": now(),
        "iamRoles": roles.iter().map(told).collect::<Vec<_>>(),
    });
    if let Some(secret) = secret {
        fields["adminPasswordSecretArn"] = crate::secrets::arn(&secret).into();
    }
    let life = Life::begin("MODIFYING", looks(world), "AVAILABLE");
    world.namespaces.insert(name.clone(), Part { life, fields, tags: labels });
    Ok(json!({ "namespace": shown(&world.namespaces[&name]) }))
}

fn create_workgroup(world: &mut World, mut asked: Asked) -> Result<Value, Refusal> {
    let name = asked.need("workgroupName")?;
    let namespace = asked.need("namespaceName")?;
    let capacity = asked.number("baseCapacity").unwrap_or(128);
    let port = asked.number("port").unwrap_or(5439);
    let public = asked.flag("publiclyAccessible");
    let groups = asked.list("securityGroupIds");
    let subnets = asked.list("subnetIds");
    let labels = asked.tags()?;
    asked.end()?;
    if !rules::serverless_name(&name) || !rules::port(port) || !rules::capacity(capacity) {
        return Err(invalid("name, port or base capacity is invalid"));
    }
    if !subnets.is_empty() && subnets.len() < 2 || groups.iter().any(|group| group != GROUP) {
        return Err(invalid("there are too few subnets, or the security group is not known"));
    }
    let found = world.namespaces.get(&namespace).ok_or_else(|| missing("The namespace"))?;
    if found.life.state != "AVAILABLE" {
        return Err(conflict("The namespace is being modified by another operation"));
    }
    let taken = |part: &Part| part.fields["namespaceName"] == namespace.as_str();
    if world.workgroups.contains_key(&name) || world.workgroups.values().any(taken) {
        return Err(conflict("The workgroup already exists"));
    }
    let fields = json!({
        "workgroupName": name, "namespaceName": namespace, "baseCapacity": capacity, "port": port,
        "workgroupArn": format!("arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{name}"),
        "publiclyAccessible": public, "creationDate": now(), "securityGroupIds": [GROUP],
        "endpoint": { "address": format!("{name}.{ACCOUNT}.{REGION}.redshift-serverless.amazonaws.com"), "port": port },
    });
    let life = Life::begin("CREATING", looks(world), "AVAILABLE");
    world.workgroups.insert(name.clone(), Part { life, fields, tags: labels });
    Ok(json!({ "workgroup": shown(&world.workgroups[&name]) }))
}

fn shown(part: &Part) -> Value {
    let mut fields = part.fields.clone();
    fields["status"] = part.life.state.clone().into();
    fields
}

fn get(world: &mut World, mut asked: Asked, what: &str) -> Result<Value, Refusal> {
    let name = asked.need(&format!("{what}Name"))?;
    asked.end()?;
    let parts = if what == "namespace" { &mut world.namespaces } else { &mut world.workgroups };
    let part = parts.get_mut(&name).ok_or_else(|| missing(what))?;
    part.life.look();
    if part.life.state == "gone" {
        let gone = parts.remove(&name);
        let secret = format!("redshift!{name}-");
        if what == "namespace" && gone.is_some() && !world.manners.leaves {
            world.secrets.retain(|found| !found.starts_with(&secret));
        }
        return Err(missing(what));
    }
    Ok(json!({ what: shown(part) }))
}

fn delete_namespace(world: &mut World, mut asked: Asked) -> Result<Value, Refusal> {
    let name = asked.need("namespaceName")?;
    let snapshot = asked.text("finalSnapshotName");
    asked.end()?;
    let looks = world.manners.looks;
    let used = |part: &Part| part.fields["namespaceName"] == name.as_str();
    if world.workgroups.values().any(used) {
        return Err(conflict("There is a workgroup associated with the namespace"));
    }
    let part = world.namespaces.get_mut(&name).ok_or_else(|| missing("The namespace"))?;
    if part.life.state != "AVAILABLE" {
        return Err(conflict("There is an operation running on the namespace"));
    }
    part.life = Life::begin("DELETING", looks, "gone");
    let told = json!({ "namespace": shown(part) });
    let owner = format!("namespace/{name}");
    world.snapshots.extend(snapshot.map(|snapshot| (snapshot, (owner, true))));
    Ok(told)
}

fn delete_workgroup(world: &mut World, mut asked: Asked) -> Result<Value, Refusal> {
    let name = asked.need("workgroupName")?;
    asked.end()?;
    let looks = world.manners.looks;
    let part = world.workgroups.get_mut(&name).ok_or_else(|| missing("The workgroup"))?;
    if part.life.state != "AVAILABLE" {
        part.life.look();
        return Err(conflict("There is an operation running on the workgroup"));
    }
    part.life = Life::begin("DELETING", looks, "gone");
    Ok(json!({ "workgroup": shown(part) }))
}

fn list(world: &World, mut asked: Asked, what: &str) -> Result<Value, Refusal> {
    asked.number("maxResults");
    asked.end()?;
    let parts = if what == "namespace" { &world.namespaces } else { &world.workgroups };
    Ok(json!({ format!("{what}s"): parts.values().map(shown).collect::<Vec<_>>() }))
}

fn tags(world: &World, mut asked: Asked) -> Result<Value, Refusal> {
    let arn = asked.need("resourceArn")?;
    asked.end()?;
    let mut parts = world.namespaces.values().chain(world.workgroups.values());
    let is = |part: &&Part| {
        part.fields["namespaceArn"] == arn.as_str() || part.fields["workgroupArn"] == arn.as_str()
    };
    let found = parts.find(is).ok_or_else(|| missing("The resource"))?;
    let tags = found.tags.iter().map(|(key, value)| json!({ "key": key, "value": value }));
    Ok(json!({ "tags": tags.collect::<Vec<_>>() }))
}

fn snapshots(world: &World, mut asked: Asked) -> Result<Value, Refusal> {
    let name = asked.text("namespaceName");
    asked.number("maxResults");
    asked.end()?;
    let ours = world.snapshots.iter();
    let ours = ours.filter_map(|(name, (of, _))| Some((name, of.strip_prefix("namespace/")?)));
    let found = ours.filter(|(_, of)| name.as_ref().is_none_or(|name| name == of));
    let found: Vec<Value> =
        found.map(|(name, of)| json!({ "snapshotName": name, "namespaceName": of })).collect();
    Ok(json!({ "snapshots": found }))
}
