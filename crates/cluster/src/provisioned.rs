//! Provisioned cluster: lookup, creation, waits and deletion.

use aws_sdk_redshift::types::{Cluster, Tag};
use time::OffsetDateTime;

use super::cloud::{Caller, Cloud};
use super::error::sdk_error;
use super::inspect::{Resource, Size};
use super::tags::Tags;
use super::wait::{Poll, retry, wait};
use super::{ClusterError, FinalSnapshot, Watch};
use sparkify_config::{ClusterSettings, Form};

/// States from which a cluster does not become available by itself.
const FAILED_STATES: &[&str] = &[
    "incompatible-hsm",
    "incompatible-network",
    "incompatible-parameters",
    "incompatible-restore",
    "hardware-failure",
    "deleted",
    "failed",
];

/// Returns the cluster of this name, if it exists.
pub(super) async fn find(cloud: &Cloud, name: &str) -> Result<Option<Resource>, ClusterError> {
    let doing = format!("look for the cluster `{name}`");
    let answer = cloud.redshift.describe_clusters().cluster_identifier(name).send().await;
    match answer.map_err(|error| sdk_error(&doing, error)) {
        Ok(answer) => Ok(answer.clusters().first().map(resource)),
        Err(error) if error.is("ClusterNotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns all clusters with sparkify's tags.
pub(super) async fn all(cloud: &Cloud) -> Result<Vec<Resource>, ClusterError> {
    let doing = "list the clusters";
    let mut found = Vec::new();
    let mut pages = cloud.redshift.describe_clusters().into_paginator().items().send();
    while let Some(cluster) = pages.next().await {
        let cluster = resource(&cluster.map_err(|error| sdk_error(doing, error))?);
        found.extend(Some(cluster).filter(|cluster| cluster.tags.project().is_some()));
    }
    Ok(found)
}

fn resource(cluster: &Cluster) -> Resource {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let pairs = cluster.tags().iter().map(|tag| (tag.key(), tag.value()));
    let created = cluster.cluster_create_time().map(aws_sdk_redshift::primitives::DateTime::secs);
    let groups = cluster.vpc_security_groups().iter();
    let endpoint = cluster.endpoint();
    Resource {
        what: "the cluster",
        name: cluster.cluster_identifier().unwrap_or_default().to_owned(),
        state: cluster.cluster_status().unwrap_or("unknown").to_lowercase(),
        tags: Tags::from_pairs(pairs),
        created: created.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()),
        host: text(endpoint.and_then(aws_sdk_redshift::types::Endpoint::address)),
        port: endpoint.and_then(aws_sdk_redshift::types::Endpoint::port),
        size: Some(Size::Nodes {
            node_type: cluster.node_type().unwrap_or_default().to_owned(),
            nodes: cluster.number_of_nodes().unwrap_or(1),
        }),
        groups: groups.filter_map(|group| text(group.vpc_security_group_id())).collect(),
        roles: cluster.iam_roles().iter().filter_map(|role| text(role.iam_role_arn())).collect(),
        secret: text(cluster.master_password_secret_arn()),
        database: text(cluster.db_name()),
        user: text(cluster.master_username()),
        public: cluster.publicly_accessible(),
        encrypted: cluster.encrypted(),
        arn: None,
    }
}

/// Writes tags of the cluster.
pub(super) async fn write_tags(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    tags: &Tags,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let name = &settings.name;
    let doing = &format!("tag the cluster `{name}`");
    let Caller { partition, account, .. } = caller;
    let arn = &format!("arn:{partition}:redshift:{}:{account}:cluster:{name}", cloud.region);
    let tags = &all_tags(tags);
    let write = || async {
        let tagged = cloud.redshift.create_tags().resource_name(arn).set_tags(Some(tags.clone()));
        tagged.send().await.map_err(|error| sdk_error(doing, error))
    };
    retry(settings, watch, write).await.map(drop)
}

fn all_tags(tags: &Tags) -> Vec<Tag> {
    tags.0.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Creates the cluster. Retries while the role is not visible to Redshift yet.
pub(super) async fn create(
    cloud: &Cloud,
    settings: &ClusterSettings,
    role: &str,
    tags: &Tags,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let Form::Provisioned { node_type, nodes } = &settings.form else { return Ok(()) };
    let doing = &format!("create the cluster `{}`", settings.name);
    let tags = all_tags(tags);
    let nodes = i32::from(*nodes);
    let groups = settings.security_group.clone().map(|group| vec![group]);
    let create = || async {
        let created = cloud
            .redshift
            .create_cluster()
            .cluster_identifier(&settings.name)
            .cluster_type(if nodes == 1 { "single-node" } else { "multi-node" })
            .set_number_of_nodes((nodes > 1).then_some(nodes))
            .node_type(node_type)
            .db_name(&settings.database)
            .master_username(&settings.user)
            .set_manage_master_password(settings.manages_password().then_some(true))
            .set_master_user_password(settings.password.as_ref().map(|p| p.reveal().to_owned()))
            .port(i32::from(settings.port))
            .encrypted(true)
            .publicly_accessible(settings.public)
            .set_vpc_security_group_ids(groups.clone())
            .set_cluster_subnet_group_name(settings.subnet_group.clone())
            .iam_roles(role)
            .set_tags(Some(tags.clone()))
            .send()
            .await;
        created.map_err(|error| sdk_error(doing, error))
    };
    match retry(settings, watch, create).await {
        // A retried request may find the cluster that its first attempt created. The caller checks
        // the tags afterwards.
        Err(error) if error.is("ClusterAlreadyExists") => Ok(()),
        ended => ended.map(drop),
    }
}

/// Waits until the cluster is available.
pub(super) async fn wait_until_available(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<Resource, ClusterError> {
    let what = format!("the cluster `{}`", settings.name);
    wait(&what, settings, watch, || async {
        Ok(match find(cloud, &settings.name).await? {
            Some(cluster) if cluster.state == "available" => Poll::Ready(cluster),
            Some(cluster) if FAILED_STATES.contains(&cluster.state.as_str()) => {
                Poll::Failed(cluster.state)
            }
            Some(cluster) if cluster.state == "paused" => Poll::Failed(cluster.state),
            Some(cluster) => Poll::Pending(cluster.state),
            // Created, but not listed yet: the API is eventually consistent.
            None => Poll::Pending("not visible yet".into()),
        })
    })
    .await
}

/// Attaches a role to the cluster.
pub(super) async fn attach(
    cloud: &Cloud,
    settings: &ClusterSettings,
    role: &str,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let doing = &format!("attach the role to the cluster `{}`", settings.name);
    let attach = || async {
        let modify = cloud.redshift.modify_cluster_iam_roles().cluster_identifier(&settings.name);
        let modified = modify.add_iam_roles(role).send().await;
        modified.map_err(|error| sdk_error(doing, error))
    };
    retry(settings, watch, attach).await.map(drop)
}

/// Deletes the cluster, with an optional final snapshot. Idempotent.
pub(super) async fn delete(
    cloud: &Cloud,
    settings: &ClusterSettings,
    snapshot: &FinalSnapshot,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let doing = &format!("delete the cluster `{}`", settings.name);
    let snapshot = &snapshot.0;
    let delete = || async {
        let deleted = cloud
            .redshift
            .delete_cluster()
            .cluster_identifier(&settings.name)
            .skip_final_cluster_snapshot(snapshot.is_none())
            .set_final_cluster_snapshot_identifier(snapshot.clone())
            .send()
            .await;
        deleted.map_err(|error| sdk_error(doing, error))
    };
    match retry(settings, watch, delete).await {
        Err(error) if error.is("ClusterNotFound") => Ok(()),
        ended => ended.map(drop),
    }
}

/// Waits until the cluster is deleted.
pub(super) async fn wait_until_deleted(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<(), ClusterError> {
    let what = format!("the deletion of the cluster `{}`", settings.name);
    wait(&what, settings, watch, || async {
        let found = find(cloud, &settings.name).await?;
        Ok(found.map_or(Poll::Ready(()), |cluster| Poll::Pending(cluster.state)))
    })
    .await
}

/// Returns the snapshots of the cluster of this name: true for a manual snapshot, and the name.
pub(super) async fn snapshots(
    cloud: &Cloud,
    name: &str,
) -> Result<Vec<(bool, String)>, ClusterError> {
    let doing = format!("list the snapshots of `{name}`");
    let request = cloud.redshift.describe_cluster_snapshots().cluster_identifier(name);
    let mut pages = request.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(snapshot) = pages.next().await {
        match snapshot.map_err(|error| sdk_error(&doing, error)) {
            Ok(snapshot) if snapshot.cluster_identifier() != Some(name) => {}
            Ok(snapshot) => found.push((
                snapshot.snapshot_type() == Some("manual"),
                snapshot.snapshot_identifier().unwrap_or_default().to_owned(),
            )),
            Err(error) if error.is("ClusterNotFound") || error.is("ClusterSnapshotNotFound") => {
                return Ok(found);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
