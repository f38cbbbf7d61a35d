//! Other regions that use a role. They are looked up only for roles of version 0.1, whose tags name
//! no regions.

use quick_xml::de::from_str;
use serde::Deserialize;
use tokio::task::JoinSet;

use super::cloud::Cloud;
use super::error::sdk_error;
use super::{ClusterError, Watch, serverless};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    region_info: Items,
}
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Items {
    item: Vec<Region>,
}
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Region {
    region_name: String,
}

/// Returns the regions other than that of `cloud` in which a cluster or namespace uses the role.
///
/// A region to which access is denied counts as unused, and is reported: service control policies
/// often deny all unused regions. Not every region has an endpoint of Redshift Serverless.
pub(super) async fn users(
    cloud: &Cloud,
    role: &str,
    watch: &Watch,
) -> Result<Vec<String>, ClusterError> {
    let text = cloud.signed.ec2("list the regions", "DescribeRegions", &[]).await?;
    let answer = from_str::<Answer>(&text).map_err(|_| ClusterError::Unreachable {
        doing: "list the regions".into(),
        reason: "the response is not from this service".into(),
    })?;
    let mut lookups = JoinSet::new();
    for Region { region_name: region } in answer.region_info.item {
        if region != cloud.region {
            let (redshift, serverless) = cloud.redshift_in(&region);
            let role = role.to_owned();
            lookups.spawn(async move {
                let clusters = is_used_by_cluster(&redshift, &region, &role).await;
                let namespaces = is_used_by_namespace(&serverless, &region, &role).await;
                (region, [clusters, namespaces])
            });
        }
    }
    let (mut users, mut unchecked) = (Vec::new(), Vec::new());
    while let Some(found) = lookups.join_next().await {
        super::wait::check(watch)?;
        // A lookup never panics.
        let Ok((region, [clusters, namespaces])) = found else { continue };
        let clusters = clusters.or_else(|error| denied(error, &region, &mut unchecked));
        let namespaces = match namespaces {
            Err(ClusterError::Unreachable { .. }) => Ok(false),
            namespaces => namespaces.or_else(|error| denied(error, &region, &mut unchecked)),
        };
        if clusters? || namespaces? {
            users.push(region);
        }
    }
    users.sort();
    if !unchecked.is_empty() {
        unchecked.sort();
        unchecked.dedup();
        let unchecked = unchecked.join(", ");
        (watch.report)(&format!("not checked, access denied: regions {unchecked}"));
    }
    Ok(users)
}

/// Notes a region to which access is denied. Other errors end the lookup.
fn denied(
    error: ClusterError,
    region: &str,
    unchecked: &mut Vec<String>,
) -> Result<bool, ClusterError> {
    if !error.is_permission() {
        return Err(error);
    }
    unchecked.push(region.to_owned());
    Ok(false)
}

async fn is_used_by_cluster(
    redshift: &aws_sdk_redshift::Client,
    region: &str,
    role: &str,
) -> Result<bool, ClusterError> {
    let doing = format!("list the clusters in {region}");
    let mut pages = redshift.describe_clusters().into_paginator().items().send();
    while let Some(cluster) = pages.next().await {
        let cluster = cluster.map_err(|error| sdk_error(&doing, error))?;
        if cluster.iam_roles().iter().any(|found| found.iam_role_arn() == Some(role)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn is_used_by_namespace(
    serverless: &aws_sdk_redshiftserverless::Client,
    region: &str,
    role: &str,
) -> Result<bool, ClusterError> {
    let doing = format!("list the namespaces in {region}");
    let mut pages = serverless.list_namespaces().into_paginator().items().send();
    while let Some(namespace) = pages.next().await {
        let namespace = namespace.map_err(|error| sdk_error(&doing, error))?;
        if serverless::roles_of(&namespace).iter().any(|found| found == role) {
            return Ok(true);
        }
    }
    Ok(false)
}
