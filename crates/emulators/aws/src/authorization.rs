//! Permissions that AWS checks for a call, from the Service Authorization Reference: actions,
//! resource types and condition keys of each service.
//!
//! Calls that Redshift makes in the caller's name are included: passing a role, and the secret of a
//! managed password. Restrictions by resource follow the reference; an action without resource types
//! has the resource `*`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::account::{Account, ServerlessResource};
use crate::parameters::Parameters;
use crate::policy::Permission;
use crate::{ACCOUNT, GROUP, REGION, iam};

const PASSED_TO: &str = "iam:PassedToService";
const BOUNDARY: &str = "iam:PermissionsBoundary";

/// Returns the permissions that a call needs.
pub(crate) fn required(
    account: &Account,
    service: &str,
    action: &str,
    body: &str,
) -> Vec<Permission> {
    let name = format!("{service}:{action}");
    match service {
        "redshift" => redshift(account, &name, Parameters::parse(body)),
        "redshift-serverless" => {
            let members = serde_json::from_str(body).unwrap_or_default();
            serverless(account, &name, &members)
        }
        "iam" => roles(account, &name, Parameters::parse(body)),
        "ec2" => network(&name, Parameters::parse(body)),
        // GetCallerIdentity needs no permission.
        "sts" => Vec::new(),
        _ => vec![Permission::new(&name, "*")],
    }
}

fn with_request_tags(permission: Permission, tags: &BTreeMap<String, String>) -> Permission {
    let keys = |it: Permission, key: &String| it.with("aws:TagKeys", key);
    tags.keys().fold(permission.with_tags("aws:RequestTag", tags), keys)
}

fn pass(roles: &[String], service: &str) -> Vec<Permission> {
    let pass = |role: &String| Permission::new("iam:PassRole", role).with(PASSED_TO, service);
    roles.iter().map(pass).collect()
}

/// Returns the permissions for the secret of a managed password.
fn secret(name: &str, user: &str, actions: &[&str]) -> Vec<Permission> {
    let secret = crate::secrets::arn(&format!("redshift!{name}-{user}"));
    let of = |action: &&str| Permission::new(&format!("secretsmanager:{action}"), &secret);
    actions.iter().map(of).collect()
}

const CREATE_SECRET: &[&str] =
    &["CreateSecret", "DescribeSecret", "TagResource", "RotateSecret", "UpdateSecret"];
const DELETE_SECRET: &[&str] = &["DescribeSecret", "DeleteSecret"];

fn redshift(account: &Account, action: &str, mut parameters: Parameters) -> Vec<Permission> {
    let arn = |name: &str| format!("arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:{name}");
    let name = parameters.take("ClusterIdentifier");
    let existing = name.as_ref().and_then(|name| account.clusters.get(name));
    let tags = existing.map(|cluster| cluster.tags.clone()).unwrap_or_default();
    let resource = arn(name.as_deref().unwrap_or("*"));
    let named = Permission::new(action, resource.clone()).with_tags("aws:ResourceTag", &tags);
    let name = name.unwrap_or_default();
    match action {
        "redshift:CreateCluster" => {
            let tags = parameters.tags("Tags.Tag");
            let create = with_request_tags(Permission::new(action, resource.clone()), &tags);
            let tag = Permission::new("redshift:CreateTags", resource);
            let roles = parameters.list("IamRoles.IamRoleArn");
            let mut needed = vec![create, with_request_tags(tag, &tags)];
            needed.extend(pass(&roles, "redshift.amazonaws.com"));
            if parameters.take("ManageMasterPassword").as_deref() == Some("true") {
                let user = parameters.take("MasterUsername").unwrap_or_default();
                needed.extend(secret(&name, &user, CREATE_SECRET));
                needed.push(Permission::new("secretsmanager:GetRandomPassword", "*"));
            }
            needed
        }
        "redshift:DeleteCluster" => {
            let managed = existing.filter(|cluster| cluster.secret.is_some());
            let secret = managed.map(|cluster| secret(&name, &cluster.user, DELETE_SECRET));
            [vec![named], secret.unwrap_or_default()].concat()
        }
        "redshift:ModifyClusterIamRoles" => {
            let added = parameters.list("AddIamRoles.IamRoleArn");
            [vec![named], pass(&added, "redshift.amazonaws.com")].concat()
        }
        "redshift:CreateTags" => {
            let resource = parameters.take("ResourceName").unwrap_or_default();
            let cluster = resource.rsplit(':').next().and_then(|name| account.clusters.get(name));
            let tags = cluster.map(|cluster| cluster.tags.clone()).unwrap_or_default();
            let tag = Permission::new(action, resource).with_tags("aws:ResourceTag", &tags);
            vec![with_request_tags(tag, &parameters.tags("Tags.Tag"))]
        }
        "redshift:DescribeClusters" => vec![named],
        _ => vec![Permission::new(action, "*")],
    }
}

fn serverless(account: &Account, action: &str, members: &Value) -> Vec<Permission> {
    let text = |name: &str| members[name].as_str().unwrap_or_default().to_owned();
    let verb = action.trim_start_matches("redshift-serverless:");
    let kind = if verb.ends_with("Namespace") { "namespace" } else { "workgroup" };
    let of = |resource: Option<&ServerlessResource>, arn: &str| {
        let tags = resource.map(|resource| resource.tags.clone()).unwrap_or_default();
        Permission::new(action, arn).with_tags("aws:ResourceTag", &tags)
    };
    let named = || {
        let resources = if kind == "namespace" { &account.namespaces } else { &account.workgroups };
        let found = resources.get(&text(&format!("{kind}Name")));
        let arn = found.and_then(|found| found.fields[format!("{kind}Arn")].as_str());
        // The ARN of a resource that does not exist yet contains an unknown ID.
        let new = format!("arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:{kind}/new");
        of(found, arn.unwrap_or(&new))
    };
    let tags = || {
        let tags = members["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        tags.iter().map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect()
    };
    let (name, user) = (text("namespaceName"), text("adminUsername"));
    match verb {
        "CreateNamespace" => {
            let roles = members["iamRoles"].as_array().map(Vec::as_slice).unwrap_or_default();
            let roles: Vec<String> =
                roles.iter().filter_map(|role| role.as_str().map(str::to_owned)).collect();
            let mut needed = vec![with_request_tags(named(), &tags())];
            needed.extend(pass(&roles, "redshift-serverless.amazonaws.com"));
            if members["manageAdminPassword"] == true {
                needed.extend(secret(&name, &user, CREATE_SECRET));
                needed.push(Permission::new("secretsmanager:GetRandomPassword", "*"));
            }
            needed
        }
        "CreateWorkgroup" => vec![with_request_tags(named(), &tags())],
        "DeleteNamespace" => {
            let found = account.namespaces.get(&name).map(|found| &found.fields);
            let managed = found.filter(|fields| fields["adminPasswordSecretArn"].is_string());
            let user = managed.and_then(|fields| fields["adminUsername"].as_str());
            let secret = user.map(|user| secret(&name, user, DELETE_SECRET));
            [vec![named()], secret.unwrap_or_default()].concat()
        }
        "GetNamespace" | "GetWorkgroup" | "DeleteWorkgroup" => vec![named()],
        "TagResource" | "ListTagsForResource" => {
            let arn = text("resourceArn");
            let mut resources = account.namespaces.values().chain(account.workgroups.values());
            let has_arn = |it: &&ServerlessResource| {
                [&it.fields["namespaceArn"], &it.fields["workgroupArn"]]
                    .contains(&&members["resourceArn"])
            };
            vec![with_request_tags(of(resources.find(has_arn), &arn), &tags())]
        }
        _ => vec![Permission::new(action, "*")],
    }
}

fn roles(account: &Account, action: &str, mut parameters: Parameters) -> Vec<Permission> {
    if action == "iam:ListRoles" {
        return vec![Permission::new(action, "*")];
    }
    if action == "iam:SimulatePrincipalPolicy" {
        let role = parameters.take("PolicySourceArn").unwrap_or_default();
        return vec![Permission::new(action, role)];
    }
    let name = parameters.take("RoleName").unwrap_or_default();
    if action == "iam:CreateRole" {
        let path = parameters.take("Path").unwrap_or_else(|| "/".into());
        let arn = format!("arn:aws:iam::{ACCOUNT}:role{path}{name}");
        let tags = parameters.tags("Tags.member");
        let create = with_request_tags(Permission::new(action, arn.clone()), &tags);
        let boundary = parameters.take("PermissionsBoundary");
        let create = boundary.into_iter().fold(create, |it, arn| it.with(BOUNDARY, arn));
        return vec![create, with_request_tags(Permission::new("iam:TagRole", arn), &tags)];
    }
    let found = account.roles.get(&name);
    let arn = found.map(|role| iam::arn(&name, role));
    let arn = arn.unwrap_or_else(|| format!("arn:aws:iam::{ACCOUNT}:role/{name}"));
    let boundary = found.and_then(|role| role.boundary.clone());
    let needed = Permission::new(action, arn);
    let needed = boundary.into_iter().fold(needed, |it, arn| it.with(BOUNDARY, arn));
    vec![with_request_tags(needed, &parameters.tags("Tags.member"))]
}

fn network(action: &str, mut parameters: Parameters) -> Vec<Permission> {
    let arn = |kind: &str, id: &str| format!("arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{id}");
    let group = parameters.take("GroupId").unwrap_or_else(|| GROUP.into());
    let group = Permission::new(action, arn("security-group", &group));
    match action {
        "ec2:AuthorizeSecurityGroupIngress" => {
            let tags = parameters.tags("TagSpecification.1.Tag");
            let rule = arn("security-group-rule", "*");
            let tag = Permission::new("ec2:CreateTags", rule.clone());
            let tag = tag.with("ec2:CreateAction", "AuthorizeSecurityGroupIngress");
            vec![
                group,
                with_request_tags(Permission::new(action, rule), &tags),
                with_request_tags(tag, &tags),
            ]
        }
        "ec2:RevokeSecurityGroupIngress" => vec![group],
        _ => vec![Permission::new(action, "*")],
    }
}
