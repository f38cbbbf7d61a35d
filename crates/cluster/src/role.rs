//! IAM role that reads the bucket: lookup, creation, update and deletion. Managed roles have the
//! path `/sparkify/` and sparkify's tags. IAM is global, so several regions may use one role.

use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::cloud::{Caller, Cloud};
use super::error::sdk_error;
use super::tags::Tags;
use super::wait::retry;
use super::{ClusterError, Watch, policy, regions, tags};
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
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
}

/// Returns the ARN of a managed role.
pub(super) fn managed_arn(caller: &Caller, name: &str) -> String {
    format!("arn:{}:iam::{}:role{PATH}{name}", caller.partition, caller.account)
}

/// Returns the configured ARN if sparkify does not manage that role. Such a role is used unchanged.
pub(super) fn external_role<'a>(
    settings: &'a ClusterSettings,
    caller: &Caller,
    region: &str,
) -> Option<&'a str> {
    // `--write-config` writes the ARN of the managed role, which may have been deleted since.
    let names = settings.role_names(region);
    let is_managed = |arn: &str| names.iter().any(|name| arn == managed_arn(caller, name));
    settings.role_arn.as_deref().filter(|arn| !is_managed(arn))
}

/// Returns the role of the warehouse, if it exists. A role with the default name of version 0.1
/// counts only if it belongs to the warehouse.
pub(super) async fn of_warehouse(
    cloud: &Cloud,
    settings: &ClusterSettings,
) -> Result<Option<Role>, ClusterError> {
    let names = settings.role_names(&cloud.region);
    for (number, name) in names.iter().enumerate() {
        let found = find(cloud, name).await?;
        let counts = |role: &Role| number == 0 || role.tags.belong_to(&settings.name);
        if let Some(role) = found.filter(counts) {
            return Ok(Some(role));
        }
    }
    Ok(None)
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
        boundary: role
            .permissions_boundary()
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(str::to_owned),
    }))
}

/// Refuses a managed role with more permissions than sparkify wrote, or another boundary than the
/// configured one: a user who can attach the role must not get more than the documentation says.
pub(super) async fn check_unchanged(
    cloud: &Cloud,
    settings: &ClusterSettings,
    role: &Role,
) -> Result<(), ClusterError> {
    let name = &role.name;
    let foreign = |what: String| {
        let hint = format!(
            "remove it from the role, or delete the role: `aws iam get-role --role-name {name}`; or choose another name with `--role-name`"
        );
        Err(ClusterError::cannot(format!("the role `{name}` has {what}"), hint))
    };
    if !policy::is_own_trust(&role.trust) {
        return foreign(
            "a trust policy with a statement or principal that sparkify did not write".into(),
        );
    }
    let doing = format!("list the policies attached to the role `{name}`");
    let attached = cloud.iam.list_attached_role_policies().role_name(name).send().await;
    let attached = attached.map_err(|error| sdk_error(&doing, error))?;
    let attached = attached.attached_policies().iter().filter_map(|it| it.policy_name());
    let inline = policies(cloud, name).await?;
    let inline = inline.iter().map(String::as_str).filter(|policy| *policy != POLICY);
    let others: Vec<&str> = attached.chain(inline).collect();
    if !others.is_empty() {
        let others = others.join("`, `");
        return foreign(format!("the policies `{others}`, which sparkify did not write"));
    }
    if self::inline(cloud, name).await?.is_some_and(|found| !policy::is_own_access(&found)) {
        return foreign(format!("a statement in `{POLICY}` that sparkify did not write"));
    }
    let Some(wanted) = &settings.permissions_boundary else { return Ok(()) };
    match &role.boundary {
        Some(found) if found == wanted => Ok(()),
        Some(found) => foreign(format!("the permissions boundary `{found}`, not `{wanted}`")),
        None => foreign(format!("no permissions boundary, but the settings request `{wanted}`")),
    }
}

/// Parses a policy document, which IAM returns as percent-encoded JSON.
fn document(text: Option<&str>) -> Value {
    let text = percent_decode_str(text.unwrap_or_default()).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Creates or updates the role, which was `found` or is missing. Returns it, and true if its
/// permissions changed.
pub(super) async fn ensure(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    found: Option<&Role>,
    tags: &Tags,
    watch: &Watch,
) -> Result<(Role, bool), ClusterError> {
    let tags = tags.of_role(&cloud.region);
    let mut changed = false;
    let role = if let Some(role) = found {
        retag(cloud, role, &tags, watch).await?;
        role.clone()
    } else {
        changed = true;
        create(cloud, settings, &tags, watch).await?
    };
    let name = &role.name;
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
    let name = &settings.role_names(&cloud.region).swap_remove(0);
    (watch.report)(&format!("creating the role `{name}`"));
    let doing = format!("create the role `{name}`");
    let (doing, trust) = (&doing, policy::trust(settings).to_string());
    let all = iam_tags(tags);
    let create = || async {
        let created = cloud
            .iam
            .create_role()
            .role_name(name)
            .path(PATH)
            .assume_role_policy_document(&trust)
            .description("Redshift reads the song and event files with it")
            .set_permissions_boundary(settings.permissions_boundary.clone())
            .set_tags(Some(all.clone()))
            .send()
            .await;
        created.map_err(|error| sdk_error(doing, error))
    };
    let created = retry(settings, watch, create).await?;
    let arn = created.role().map(|role| role.arn().to_owned()).unwrap_or_default();
    Ok(Role {
        name: name.clone(),
        arn,
        tags: tags.clone(),
        trust: policy::trust(settings),
        boundary: settings.permissions_boundary.clone(),
    })
}

fn iam_tags(tags: &Tags) -> Vec<Tag> {
    let tags = tags.0.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.filter_map(Result::ok).collect()
}

async fn write_tags(cloud: &Cloud, role: &Role, tags: &Tags) -> Result<(), ClusterError> {
    let doing = format!("tag the role `{}`", role.name);
    let tagged = cloud.iam.tag_role().role_name(&role.name).set_tags(Some(iam_tags(tags)));
    tagged.send().await.map(drop).map_err(|error| sdk_error(&doing, error))
}

/// Updates the tags of an existing role: this region uses it, until its expiry.
async fn retag(cloud: &Cloud, role: &Role, tags: &Tags, watch: &Watch) -> Result<(), ClusterError> {
    // The tags of version 0.1 do not say which regions use the role.
    if role.tags.used_in().is_empty() {
        let users = regions::users(cloud, &role.arn, watch).await?;
        note_users(cloud, role, &users).await?;
    }
    let Some(update) = tags.update_of(&role.tags) else { return Ok(()) };
    (watch.report)(&format!("updating the tags of the role `{}`", role.name));
    write_tags(cloud, role, &update).await
}

/// Returns the other regions that use the role: those of its tags, or, for a role of version 0.1,
/// those in which a warehouse has it.
pub(super) async fn users_elsewhere(
    cloud: &Cloud,
    role: &Role,
    watch: &Watch,
) -> Result<Vec<String>, ClusterError> {
    let used_in = role.tags.used_in();
    if used_in.is_empty() {
        return regions::users(cloud, &role.arn, watch).await;
    }
    let others = used_in.keys().filter(|region| **region != cloud.region);
    Ok(others.map(|region| (*region).to_owned()).collect())
}

/// Tags a role without region tags with the regions that use it.
async fn note_users(cloud: &Cloud, role: &Role, users: &[String]) -> Result<(), ClusterError> {
    if users.is_empty() {
        return Ok(());
    }
    let project = role.tags.project().unwrap_or_default();
    write_tags(cloud, role, &Tags::uses(project, users)).await
}

/// Deletes the role if no other region uses it; otherwise only ends the use by this region. Returns
/// true if it was deleted.
pub(super) async fn release(
    cloud: &Cloud,
    settings: &ClusterSettings,
    role: &Role,
    others: &[String],
    watch: &Watch,
) -> Result<bool, ClusterError> {
    let name = &role.name;
    if others.is_empty() {
        (watch.report)(&format!("deleting the role `{name}`"));
        delete(cloud, settings, name, watch).await?;
        return Ok(true);
    }
    (watch.report)(&format!("keeping the role `{name}`: {} uses it", others.join(", ")));
    let used_in = role.tags.used_in();
    if used_in.is_empty() {
        note_users(cloud, role, others).await?;
    }
    if used_in.contains_key(cloud.region.as_str()) {
        let doing = format!("remove a tag of the role `{name}`");
        let untag = cloud.iam.untag_role().role_name(name);
        let untagged = untag.tag_keys(tags::used_in_tag(&cloud.region)).send().await;
        ignore_missing(untagged.map_err(|error| sdk_error(&doing, error)))?;
    }
    Ok(false)
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
async fn delete(
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
