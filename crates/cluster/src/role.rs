//! IAM role that reads the bucket: lookup, creation, update and deletion. Managed roles have the
//! path `/sparkify/` and sparkify's tags.

use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::cloud::{Caller, Cloud};
use super::error::sdk_error;
use super::tags::Tags;
use super::wait::retry;
use super::{ClusterError, Watch, policy};
use sparkify_config::ClusterSettings;

/// Path of managed roles, so that IAM permissions can be limited to them.
pub(super) const PATH: &str = "/sparkify/";
/// Name of the inline policy of the role.
pub(super) const POLICY: &str = "sparkify-s3";

/// An existing role.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub name: String,
    pub arn: String,
    pub tags: Tags,
    /// Trust policy.
    pub trust: Value,
}

/// Returns the ARN of a managed role.
pub(super) fn managed_arn(caller: &Caller, name: &str) -> String {
    format!("arn:{}:iam::{}:role{PATH}{name}", caller.partition, caller.account)
}

/// Returns the configured ARN if sparkify does not manage that role. Such a role is used unchanged.
pub(super) fn external_role<'a>(settings: &'a ClusterSettings, caller: &Caller) -> Option<&'a str> {
    // `--write-config` writes the ARN of the managed role, which may have been deleted since.
    settings.role_arn.as_deref().filter(|arn| *arn != managed_arn(caller, &settings.role_name))
}

/// Returns the role of this name, if it exists.
pub(super) async fn find(cloud: &Cloud, name: &str) -> Result<Option<Role>, ClusterError> {
    let doing = format!("look for the role `{name}`");
    let answer = cloud.iam.get_role().role_name(name).send().await;
    let answer = match answer.map_err(|error| sdk_error(&doing, error)) {
        Ok(answer) => answer,
        Err(error) if error.is("NoSuchEntity") => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(answer.role().map(|role| Role {
        name: role.role_name().to_owned(),
        arn: role.arn().to_owned(),
        tags: Tags::from_pairs(role.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value())))),
        trust: document(role.assume_role_policy_document()),
    }))
}

/// Parses a policy document, which IAM returns as percent-encoded JSON.
fn document(text: Option<&str>) -> Value {
    let text = percent_decode_str(text.unwrap_or_default()).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Creates or updates the role. Returns it, and true if anything was changed.
pub(super) async fn ensure(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    tags: &Tags,
    watch: &Watch,
) -> Result<(Role, bool), ClusterError> {
    let name = &settings.role_name;
    let mut changed = false;
    let role = match find(cloud, name).await? {
        Some(role) if !role.tags.belong_to(&settings.name) => {
            return Err(ClusterError::Foreign { what: "the role", name: name.clone() });
        }
        Some(role) => role,
        None => {
            (watch.report)(&format!("creating the role `{name}`"));
            changed = true;
            create(cloud, settings, tags, watch).await?
        }
    };
    if !policy::trusts(&role.trust, &policy::services(settings)) {
        changed = true;
        let document = policy::trust(settings).to_string();
        let doing = format!("allow Redshift to assume the role `{name}`");
        let update = cloud.iam.update_assume_role_policy().role_name(name);
        let update = update.policy_document(document).send().await;
        update.map_err(|error| sdk_error(&doing, error))?;
    }
    let wanted = policy::access(&settings.prefixes, &caller.partition);
    if inline(cloud, name).await? != Some(wanted.clone()) {
        (watch.report)(&format!("granting the role `{name}` access to {}", prefix_list(settings)));
        changed = true;
        let doing = format!("set the policy of the role `{name}`");
        let (doing, document) = (&doing, wanted.to_string());
        let put = || async {
            let put = cloud.iam.put_role_policy().role_name(name).policy_name(POLICY);
            let put = put.policy_document(&document).send().await;
            put.map_err(|error| sdk_error(doing, error))
        };
        retry(settings, watch, put).await?;
    }
    Ok((role, changed))
}

/// Returns the prefixes as a list for messages.
pub(super) fn prefix_list(settings: &ClusterSettings) -> String {
    let place = |prefix: &sparkify_config::Prefix| {
        let write = if prefix.write { " (and write)" } else { "" };
        format!("s3://{}/{}{write}", prefix.bucket, prefix.key)
    };
    settings.prefixes.iter().map(place).collect::<Vec<_>>().join(", ")
}

async fn create(
    cloud: &Cloud,
    settings: &ClusterSettings,
    tags: &Tags,
    watch: &Watch,
) -> Result<Role, ClusterError> {
    let name = &settings.role_name;
    let doing = format!("create the role `{name}`");
    let (doing, trust) = (&doing, policy::trust(settings).to_string());
    let all = tags.0.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let all: Vec<Tag> = all.filter_map(Result::ok).collect();
    let create = || async {
        let created = cloud
            .iam
            .create_role()
            .role_name(name)
            .path(PATH)
            .assume_role_policy_document(&trust)
            .description("Redshift reads the song and event files with it")
            .set_tags(Some(all.clone()))
            .send()
            .await;
        created.map_err(|error| sdk_error(doing, error))
    };
    let created = retry(settings, watch, create).await?;
    let arn = created.role().map(|role| role.arn().to_owned()).unwrap_or_default();
    Ok(Role { name: name.clone(), arn, tags: tags.clone(), trust: policy::trust(settings) })
}

/// Returns the inline policy of the role, if it exists.
pub(super) async fn inline(cloud: &Cloud, role: &str) -> Result<Option<Value>, ClusterError> {
    let doing = format!("read the policy of the role `{role}`");
    let answer = cloud.iam.get_role_policy().role_name(role).policy_name(POLICY).send().await;
    match answer.map_err(|error| sdk_error(&doing, error)) {
        Ok(answer) => Ok(Some(document(Some(answer.policy_document())))),
        Err(error) if error.is("NoSuchEntity") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the names of all inline policies of the role.
pub(super) async fn policies(cloud: &Cloud, role: &str) -> Result<Vec<String>, ClusterError> {
    let doing = format!("list the policies of the role `{role}`");
    let answer = cloud.iam.list_role_policies().role_name(role).send().await;
    match answer.map_err(|error| sdk_error(&doing, error)) {
        Ok(answer) => Ok(answer.policy_names().to_vec()),
        Err(error) if error.is("NoSuchEntity") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Deletes a managed role. IAM requires that its policies are deleted first. Idempotent.
pub(super) async fn delete(
    cloud: &Cloud,
    settings: &ClusterSettings,
    name: &str,
    watch: &Watch,
) -> Result<(), ClusterError> {
    for policy in policies(cloud, name).await? {
        let doing = format!("delete the policy `{policy}` of the role `{name}`");
        let deleted =
            cloud.iam.delete_role_policy().role_name(name).policy_name(&policy).send().await;
        ignore_missing(deleted.map_err(|error| sdk_error(&doing, error)))?;
    }
    let doing = &format!("delete the role `{name}`");
    let delete = || async {
        let deleted = cloud.iam.delete_role().role_name(name).send().await;
        ignore_missing(deleted.map_err(|error| sdk_error(doing, error)))
    };
    retry(settings, watch, delete).await
}

fn ignore_missing<T>(ended: Result<T, ClusterError>) -> Result<(), ClusterError> {
    match ended {
        Err(error) if error.is("NoSuchEntity") => Ok(()),
        ended => ended.map(drop),
    }
}

/// Returns all managed roles, of any warehouse.
pub(super) async fn all(cloud: &Cloud) -> Result<Vec<Role>, ClusterError> {
    let doing = "list the roles of sparkify";
    let mut found = Vec::new();
    let mut pages = cloud.iam.list_roles().path_prefix(PATH).into_paginator().items().send();
    while let Some(role) = pages.next().await {
        let name = role.map_err(|error| sdk_error(doing, error))?.role_name().to_owned();
        // `ListRoles` returns no tags.
        found.extend(find(cloud, &name).await?.filter(|role| role.tags.project().is_some()));
    }
    Ok(found)
}
