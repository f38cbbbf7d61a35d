//! Serverless warehouse: a namespace, which holds the data, and a workgroup, which runs queries.
//! The namespace is created first and deleted last.

use aws_sdk_redshiftserverless::types::{
    Endpoint, Namespace, Tag, UsageLimitBreachAction, UsageLimitPeriod, UsageLimitUsageType,
    Workgroup,
};
use time::OffsetDateTime;

use super::cloud::Cloud;
use super::error::sdk_error;
use super::inspect::{Resource, Size};
use super::tags::Tags;
use super::wait::{Poll, retry, wait};
use super::{ClusterError, FinalSnapshot, Watch};
use sparkify_config::{ClusterSettings, Form};

/// Part of a serverless warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Namespace,
    Workgroup,
}

impl Part {
    fn noun(self) -> &'static str {
        match self {
            Self::Namespace => "the namespace",
            Self::Workgroup => "the workgroup",
        }
    }
}

/// Returns the part of this name, if it exists.
pub(super) async fn find(
    cloud: &Cloud,
    part: Part,
    name: &str,
) -> Result<Option<Resource>, ClusterError> {
    let doing = format!("look for {} `{name}`", part.noun());
    let client = &cloud.serverless;
    let found = match part {
        Part::Namespace => {
            let answer = client.get_namespace().namespace_name(name).send().await;
            let answer = answer.map_err(|error| sdk_error(&doing, error));
            answer.map(|answer| answer.namespace().map(of_namespace))
        }
        Part::Workgroup => {
            let answer = client.get_workgroup().workgroup_name(name).send().await;
            let answer = answer.map_err(|error| sdk_error(&doing, error));
            answer.map(|answer| answer.workgroup().map(of_workgroup))
        }
    };
    match found {
        Ok(Some((arn, resource))) => {
            let tags = tags(cloud, &doing, &arn).await?;
            Ok(Some(Resource { tags, arn: Some(arn), ..resource }))
        }
        Ok(None) => Ok(None),
        Err(error) if error.is("ResourceNotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

async fn tags(cloud: &Cloud, doing: &str, arn: &str) -> Result<Tags, ClusterError> {
    let answer = cloud.serverless.list_tags_for_resource().resource_arn(arn).send().await;
    match answer.map_err(|error| sdk_error(doing, error)) {
        Ok(answer) => Ok(Tags::from_pairs(
            answer.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value()))),
        )),
        // Deleted between the two requests.
        Err(error) if error.is("ResourceNotFound") => Ok(Tags::default()),
        Err(error) => Err(error),
    }
}

type Created<'a> = Option<&'a aws_sdk_redshiftserverless::primitives::DateTime>;

fn moment(time: Created<'_>) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(time?.secs()).ok()
}

fn of_namespace(namespace: &Namespace) -> (String, Resource) {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let resource = Resource {
        what: Part::Namespace.noun(),
        name: namespace.namespace_name().unwrap_or_default().to_owned(),
        state: state(
            namespace.status().map(aws_sdk_redshiftserverless::types::NamespaceStatus::as_str),
        ),
        created: moment(namespace.creation_date()),
        roles: roles_of(namespace),
        secret: text(namespace.admin_password_secret_arn()),
        database: text(namespace.db_name()),
        user: text(namespace.admin_username()),
        encrypted: Some(true),
        ..Resource::default()
    };
    (namespace.namespace_arn().unwrap_or_default().to_owned(), resource)
}

/// Returns the ARNs of the roles of a namespace.
pub(super) fn roles_of(namespace: &Namespace) -> Vec<String> {
    // AWS writes them as `IamRole(applyStatus=in-sync, iamRoleArn=arn:…)`.
    let roles = namespace.iam_roles().iter();
    let roles = roles.map(|role| role.rsplit("iamRoleArn=").next().unwrap_or(role));
    roles.map(|role| role.trim_end_matches(')').to_owned()).collect()
}

fn of_workgroup(workgroup: &Workgroup) -> (String, Resource) {
    let endpoint = workgroup.endpoint();
    let resource = Resource {
        what: Part::Workgroup.noun(),
        name: workgroup.workgroup_name().unwrap_or_default().to_owned(),
        state: state(
            workgroup.status().map(aws_sdk_redshiftserverless::types::WorkgroupStatus::as_str),
        ),
        created: moment(workgroup.creation_date()),
        host: endpoint.and_then(Endpoint::address).map(str::to_owned),
        port: endpoint.and_then(Endpoint::port),
        size: Some(Size::Capacity { units: workgroup.base_capacity().unwrap_or_default() }),
        groups: workgroup.security_group_ids().to_vec(),
        public: workgroup.publicly_accessible(),
        encrypted: Some(true),
        ..Resource::default()
    };
    (workgroup.workgroup_arn().unwrap_or_default().to_owned(), resource)
}

fn state(state: Option<&str>) -> String {
    state.unwrap_or("unknown").to_lowercase()
}

fn all_tags(tags: &Tags) -> Vec<Tag> {
    let tags = tags.0.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.filter_map(Result::ok).collect()
}

/// Creates the namespace with its role and administrator.
pub(super) async fn create_namespace(
    cloud: &Cloud,
    settings: &ClusterSettings,
    role: &str,
    tags: &Tags,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let doing = &format!("create the namespace `{}`", settings.name);
    let tags = all_tags(tags);
    let create = || async {
        let created = cloud
            .serverless
            .create_namespace()
            .namespace_name(&settings.name)
            .db_name(&settings.database)
            .admin_username(&settings.user)
            .set_manage_admin_password(settings.manages_password().then_some(true))
            .set_admin_user_password(settings.password.as_ref().map(|p| p.reveal().to_owned()))
            .iam_roles(role)
            .default_iam_role_arn(role)
            .set_tags(Some(tags.clone()))
            .send()
            .await;
        created.map_err(|error| sdk_error(doing, error))
    };
    retry(settings, watch, create).await.map(drop)
}

/// Creates the workgroup with an explicit base and maximum capacity: the default of AWS costs
/// sixteen times as much and has no maximum.
pub(super) async fn create_workgroup(
    cloud: &Cloud,
    settings: &ClusterSettings,
    tags: &Tags,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let Form::Serverless { base_capacity, max_capacity, .. } = settings.form else {
        return Ok(());
    };
    let doing = &format!("create the workgroup `{}`", settings.name);
    let tags = all_tags(tags);
    let groups = settings.security_group.clone().map(|group| vec![group]);
    let create = || async {
        let created = cloud
            .serverless
            .create_workgroup()
            .workgroup_name(&settings.name)
            .namespace_name(&settings.name)
            .base_capacity(i32::from(base_capacity))
            .max_capacity(i32::from(max_capacity))
            .port(i32::from(settings.port))
            .publicly_accessible(settings.public)
            .set_security_group_ids(groups.clone())
            .set_tags(Some(tags.clone()))
            .send()
            .await;
        created.map_err(|error| sdk_error(doing, error))
    };
    retry(settings, watch, create).await.map(drop)
}

/// Writes tags of a namespace or workgroup.
pub(super) async fn write_tags(cloud: &Cloud, arn: &str, tags: &Tags) -> Result<(), ClusterError> {
    let tagged = cloud.serverless.tag_resource().resource_arn(arn).set_tags(Some(all_tags(tags)));
    tagged.send().await.map(drop).map_err(|error| sdk_error(&format!("tag `{arn}`"), error))
}

/// Sets the daily usage limit of the workgroup, unless it has one. When it is reached, AWS refuses
/// further queries until the next day. Returns true if the limit was set.
pub(super) async fn limit_usage(
    cloud: &Cloud,
    arn: &str,
    hours: u32,
) -> Result<bool, ClusterError> {
    let doing = "limit the usage of the workgroup";
    let client = &cloud.serverless;
    let usage = UsageLimitUsageType::ServerlessCompute;
    let listed = client.list_usage_limits().resource_arn(arn).usage_type(usage.clone());
    let listed = listed.send().await.map_err(|error| sdk_error(doing, error))?;
    if !listed.usage_limits().is_empty() {
        return Ok(false);
    }
    let created = client
        .create_usage_limit()
        .resource_arn(arn)
        .usage_type(usage)
        .period(UsageLimitPeriod::Daily)
        .amount(i64::from(hours))
        .breach_action(UsageLimitBreachAction::Deactivate);
    match created.send().await.map_err(|error| sdk_error(doing, error)) {
        Err(error) if error.is("Conflict") => Ok(false),
        ended => ended.map(|_| true),
    }
}

/// Waits until the part is available.
pub(super) async fn wait_until_available(
    cloud: &Cloud,
    part: Part,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<Resource, ClusterError> {
    let what = format!("{} `{}`", part.noun(), settings.name);
    wait(&what, settings, watch, || async {
        Ok(match find(cloud, part, &settings.name).await? {
            Some(found) if found.state == "available" => Poll::Ready(found),
            Some(found) if found.state == "deleting" => Poll::Failed(found.state),
            Some(found) => Poll::Pending(found.state),
            None => Poll::Pending("not visible yet".into()),
        })
    })
    .await
}

/// Deletes one part. Idempotent.
pub(super) async fn delete(
    cloud: &Cloud,
    part: Part,
    settings: &ClusterSettings,
    snapshot: &FinalSnapshot,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let (name, client) = (&settings.name, &cloud.serverless);
    let doing = &format!("delete {} `{name}`", part.noun());
    let delete = || async {
        match part {
            Part::Workgroup => {
                let deleted = client.delete_workgroup().workgroup_name(name).send().await;
                deleted.map(drop).map_err(|error| sdk_error(doing, error))
            }
            Part::Namespace => {
                let deleted = client.delete_namespace().namespace_name(name);
                let deleted = deleted.set_final_snapshot_name(snapshot.0.clone()).send().await;
                deleted.map(drop).map_err(|error| sdk_error(doing, error))
            }
        }
    };
    match retry(settings, watch, delete).await {
        Err(error) if error.is("ResourceNotFound") => Ok(()),
        ended => ended,
    }
}

/// Waits until the part is deleted.
pub(super) async fn wait_until_deleted(
    cloud: &Cloud,
    part: Part,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let what = format!("the deletion of {} `{}`", part.noun(), settings.name);
    wait(&what, settings, watch, || async {
        let found = find(cloud, part, &settings.name).await?;
        Ok(found.map_or(Poll::Ready(()), |found| Poll::Pending(found.state)))
    })
    .await
}

/// Returns all namespaces and workgroups with sparkify's tags.
pub(super) async fn all(cloud: &Cloud) -> Result<Vec<Resource>, ClusterError> {
    let mut names = Vec::new();
    let mut pages = cloud.serverless.list_namespaces().into_paginator().items().send();
    while let Some(found) = pages.next().await {
        let found = found.map_err(|error| sdk_error("list the namespaces", error))?;
        names.extend(found.namespace_name().map(|name| (Part::Namespace, name.to_owned())));
    }
    let mut pages = cloud.serverless.list_workgroups().into_paginator().items().send();
    while let Some(found) = pages.next().await {
        let found = found.map_err(|error| sdk_error("list the workgroups", error))?;
        names.extend(found.workgroup_name().map(|name| (Part::Workgroup, name.to_owned())));
    }
    let mut found = Vec::new();
    for (part, name) in names {
        let part = find(cloud, part, &name).await?;
        found.extend(part.filter(|part| part.tags.project().is_some()));
    }
    Ok(found)
}

/// Returns the snapshots of the namespace of this name.
pub(super) async fn snapshots(cloud: &Cloud, name: &str) -> Result<Vec<String>, ClusterError> {
    let mut pages =
        cloud.serverless.list_snapshots().namespace_name(name).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(snapshot) = pages.next().await {
        match snapshot.map_err(|error| sdk_error("list the snapshots", error)) {
            Ok(snapshot) => found.extend(snapshot.snapshot_name().map(str::to_owned)),
            Err(error) if error.is("ResourceNotFound") => return Ok(found),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
