//! Redshift: provisioned clusters and their snapshots.

use time::OffsetDateTime;

use crate::account::{Account, Behavior, Cluster, Lifecycle, Snapshot, timestamp};
use crate::parameters::Parameters;
use crate::xml::{element, response, tag, tags};
use crate::{ACCOUNT, ApiError, ApiResult, GROUP, REGION, error, validation};

const VERSION: &str = "2012-12-01";
/// Node types with their minimum and maximum number of nodes.
const NODE_TYPES: &[(&str, i64, i64)] = &[
    ("ra3.large", 1, 16),
    ("ra3.xlplus", 1, 32),
    ("ra3.4xlarge", 2, 32),
    ("ra3.16xlarge", 2, 128),
    ("rg.large", 1, 16),
    ("rg.xlarge", 1, 32),
    ("rg.4xlarge", 2, 32),
    ("rg.12xlarge", 2, 128),
];

pub(crate) fn respond(account: &mut Account, action: &str, body: &str) -> ApiResult {
    let parameters = Parameters::of(body, VERSION)?;
    let result = match action {
        "CreateCluster" => create(account, parameters),
        "DescribeClusters" => describe(account, parameters),
        "DeleteCluster" => delete(account, parameters),
        "ModifyClusterIamRoles" => add_roles(account, parameters),
        "DescribeClusterSnapshots" => describe_snapshots(account, parameters),
        "CreateTags" => create_tags(account, parameters),
        _ => Err(error(400, "InvalidAction", format!("Could not find operation {action}"))),
    };
    result.map(|result| response(action, &result))
}

fn invalid(message: &str) -> ApiError {
    error(400, "InvalidParameterValue", message)
}

fn create(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("ClusterIdentifier")?;
    if !validation::is_cluster_identifier(&name) {
        return Err(invalid("Invalid cluster identifier"));
    }
    let (node_type, nodes) = size(&mut parameters)?;
    let (user, secret) = administrator(&mut parameters, &name)?;
    let database = parameters.take("DBName").unwrap_or_else(|| "dev".into());
    if !validation::is_database_name(&database) {
        return Err(invalid("Invalid database name"));
    }
    let port = parameters.number("Port")?.unwrap_or(5439);
    if !validation::is_port(port) {
        return Err(invalid("The port is out of the ranges 5431-5455 and 8191-8215"));
    }
    // The default is true.
    if parameters.boolean("Encrypted")? == Some(false) {
        return Err(invalid("Clusters must be encrypted"));
    }
    if parameters.take("ClusterSubnetGroupName").is_some_and(|group| group != "subnets") {
        return Err(error(
            400,
            "ClusterSubnetGroupNotFoundFault",
            "Cluster subnet group not found",
        ));
    }
    let groups = parameters.list("VpcSecurityGroupIds.VpcSecurityGroupId");
    if groups.iter().any(|group| group != GROUP) {
        return Err(invalid("Invalid security group"));
    }
    let public = parameters.boolean("PubliclyAccessible")?.unwrap_or(false);
    let tags = parameters.tags("Tags.Tag");
    if !validation::are_tags(&tags) {
        return Err(error(400, "InvalidTagFault", "The tag is invalid"));
    }
    let roles = parameters.list("IamRoles.IamRoleArn");
    parameters.finish()?;
    if account.clusters.contains_key(&name) {
        return Err(error(400, "ClusterAlreadyExists", "Cluster already exists"));
    }
    if account.clusters.len() >= account.behavior.cluster_quota {
        return Err(error(400, "ClusterQuotaExceeded", "You have exceeded your cluster quota"));
    }
    for role in &roles {
        account.check_role(role, "redshift.amazonaws.com").map_err(|message| invalid(&message))?;
    }
    account.secrets.extend(secret.clone());
    let polls = account.creation_polls();
    let lifecycle = Lifecycle::begin("creating", polls, account.behavior.created_state);
    let (group, created) = (GROUP.to_owned(), OffsetDateTime::now_utc());
    let cluster = Cluster {
        lifecycle,
        node_type,
        nodes,
        user,
        database,
        port,
        public,
        roles,
        group,
        secret,
        tags,
        created,
    };
    let response = xml(&account.behavior, &name, &cluster);
    account.clusters.insert(name, cluster);
    Ok(response)
}

fn size(parameters: &mut Parameters) -> Result<(String, i64), ApiError> {
    let node_type = parameters.require("NodeType")?;
    let known = NODE_TYPES.iter().find(|(name, _, _)| *name == node_type);
    let (_, min, max) =
        *known.ok_or_else(|| invalid(&format!("Invalid node type: {node_type}")))?;
    let kind = parameters.take("ClusterType").unwrap_or_else(|| "multi-node".into());
    let nodes = match (kind.as_str(), parameters.number("NumberOfNodes")?) {
        ("single-node", None | Some(1)) => 1,
        ("single-node", Some(_)) => {
            return Err(error(
                400,
                "InvalidParameterCombination",
                "a single-node cluster has one node",
            ));
        }
        ("multi-node", None) => {
            return Err(error(
                400,
                "MissingParameter",
                "Number of nodes must be specified for a multi-node cluster",
            ));
        }
        ("multi-node", Some(nodes)) if (2..=100).contains(&nodes) => nodes,
        _ => return Err(invalid("Invalid cluster type or number of nodes")),
    };
    if (min..=max).contains(&nodes) {
        return Ok((node_type, nodes));
    }
    Err(error(
        400,
        "NumberOfNodesPerClusterLimitExceeded",
        "this number of nodes is not possible for the node type",
    ))
}

/// Parses the administrator. Returns the name, and the name of the secret if AWS manages the
/// password.
fn administrator(
    parameters: &mut Parameters,
    name: &str,
) -> Result<(String, Option<String>), ApiError> {
    let user = parameters.require("MasterUsername")?;
    if !validation::is_user_name(&user) {
        return Err(invalid("Invalid master user name"));
    }
    match (parameters.boolean("ManageMasterPassword")?, parameters.take("MasterUserPassword")) {
        (Some(true), None) => Ok((user.clone(), Some(format!("redshift!{name}-{user}")))),
        (Some(true), Some(_)) => Err(error(
            400,
            "InvalidParameterCombination",
            "You can't use MasterUserPassword if ManageMasterPassword is true",
        )),
        (_, Some(password)) if validation::is_password(&password) => Ok((user, None)),
        (_, Some(_)) => Err(invalid("The password does not meet the requirements")),
        (_, None) => Err(error(400, "MissingParameter", "MasterUserPassword is missing")),
    }
}

fn xml(behavior: &Behavior, name: &str, cluster: &Cluster) -> String {
    let Cluster { node_type, nodes, user, database, port, public, created, .. } = cluster;
    let host = format!("{name}.abc123xyz789.{REGION}.redshift.amazonaws.com");
    let (host, port) =
        behavior.endpoint.clone().map_or((host, *port), |(host, port)| (host, port.into()));
    let endpoint = tag("Address", &host) + &tag("Port", &port.to_string());
    let state = &cluster.lifecycle.state;
    let group = tag("VpcSecurityGroupId", &cluster.group) + &tag("Status", "active");
    let role = |role: &String| {
        element("ClusterIamRole", &(tag("IamRoleArn", role) + &tag("ApplyStatus", "in-sync")))
    };
    let secret = cluster
        .secret
        .as_ref()
        .map(|secret| tag("MasterPasswordSecretArn", &crate::secrets::arn(secret)));
    let inner = [
        tag("ClusterIdentifier", name),
        tag("NodeType", node_type),
        tag("ClusterStatus", state),
        tag(
            "ClusterAvailabilityStatus",
            if state == "available" { "Available" } else { "Unavailable" },
        ),
        tag("MasterUsername", user),
        tag("DBName", database),
        // A cluster has no endpoint while it is being created.
        if state == "creating" { String::new() } else { element("Endpoint", &endpoint) },
        tag("ClusterCreateTime", &timestamp(*created)),
        element("VpcSecurityGroups", &element("VpcSecurityGroup", &group)),
        tag("NumberOfNodes", &nodes.to_string()),
        tag("PubliclyAccessible", &public.to_string()),
        tag("Encrypted", "true"),
        element("Tags", &tags("Tag", &cluster.tags)),
        element("IamRoles", &cluster.roles.iter().map(role).collect::<String>()),
        secret.unwrap_or_default(),
    ];
    element("Cluster", &inner.concat())
}

fn missing(name: &str) -> ApiError {
    error(404, "ClusterNotFound", format!("Cluster {name} not found."))
}

fn describe(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let wanted = parameters.take("ClusterIdentifier");
    parameters.finish()?;
    if let Some(name) = &wanted {
        let clock = account.clock();
        let cluster = account.clusters.get_mut(name).ok_or_else(|| missing(name))?;
        cluster.lifecycle.poll(clock);
        if cluster.lifecycle.state == "gone" {
            remove(account, name);
            return Err(missing(name));
        }
    }
    let clusters =
        account.clusters.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|w| w == *name));
    let clusters: String =
        clusters.map(|(name, cluster)| xml(&account.behavior, name, cluster)).collect();
    Ok(element("Clusters", &clusters))
}

fn remove(account: &mut Account, name: &str) {
    let Some(cluster) = account.clusters.remove(name) else { return };
    if account.behavior.keeps_leftovers {
        let snapshot = Snapshot { owner: name.into(), manual: false };
        account.snapshots.insert(format!("rs:{name}-left"), snapshot);
    } else if let Some(secret) = cluster.secret {
        account.secrets.retain(|found| *found != secret);
    }
}

fn delete(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("ClusterIdentifier")?;
    let skips_snapshot = parameters.boolean("SkipFinalClusterSnapshot")?.unwrap_or(false);
    let snapshot = parameters.take("FinalClusterSnapshotIdentifier");
    parameters.finish()?;
    match (skips_snapshot, &snapshot) {
        (false, None) => {
            return Err(error(
                400,
                "InvalidParameterCombination",
                "FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is specified.",
            ));
        }
        (true, Some(_)) => {
            return Err(error(
                400,
                "InvalidParameterCombination",
                "the final snapshot is both named and skipped",
            ));
        }
        _ => {}
    }
    let (polls, clock) = (account.behavior.polls, account.clock());
    let cluster = account.clusters.get_mut(&name).ok_or_else(|| missing(&name))?;
    if ["creating", "deleting", "modifying"].contains(&cluster.lifecycle.state.as_str()) {
        let state = &cluster.lifecycle.state;
        let message = format!(
            "There is an operation running on the Cluster. Please try again. It is {state}"
        );
        // A client may retry the deletion instead of polling the status.
        cluster.lifecycle.poll(clock);
        return Err(error(400, "InvalidClusterState", message));
    }
    cluster.lifecycle = Lifecycle::begin("deleting", polls, "gone");
    let response = xml(&account.behavior, &name, cluster);
    if let Some(snapshot) = snapshot {
        if account.snapshots.contains_key(&snapshot) {
            return Err(error(400, "ClusterSnapshotAlreadyExists", "The snapshot exists already"));
        }
        account.snapshots.insert(snapshot, Snapshot { owner: name, manual: true });
    }
    Ok(response)
}

fn add_roles(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.require("ClusterIdentifier")?;
    let added = parameters.list("AddIamRoles.IamRoleArn");
    parameters.finish()?;
    for role in &added {
        account.check_role(role, "redshift.amazonaws.com").map_err(|message| invalid(&message))?;
    }
    let polls = account.behavior.polls;
    let cluster = account.clusters.get_mut(&name).ok_or_else(|| missing(&name))?;
    if cluster.lifecycle.state != "available" {
        return Err(error(400, "InvalidClusterState", "The cluster is not available"));
    }
    cluster.roles.extend(added);
    cluster.lifecycle = Lifecycle::begin("modifying", polls, "available");
    Ok(xml(&account.behavior, &name, cluster))
}

fn create_tags(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let arn = parameters.require("ResourceName")?;
    let tags = parameters.tags("Tags.Tag");
    parameters.finish()?;
    let prefix = format!("arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:");
    let unknown = || error(404, "ResourceNotFoundFault", format!("{arn} not found"));
    let cluster = arn.strip_prefix(&prefix).and_then(|name| account.clusters.get_mut(name));
    let cluster = cluster.ok_or_else(unknown)?;
    if cluster.lifecycle.state != "available" {
        return Err(error(400, "InvalidClusterState", "The cluster is not available"));
    }
    cluster.tags.extend(tags);
    if validation::are_tags(&cluster.tags) {
        return Ok(String::new());
    }
    Err(error(400, "InvalidTagFault", "The tag is invalid"))
}

fn describe_snapshots(account: &Account, mut parameters: Parameters) -> ApiResult {
    let wanted = parameters.take("ClusterIdentifier");
    parameters.finish()?;
    let one = |(name, snapshot): (&String, &Snapshot)| {
        let kind = if snapshot.manual { "manual" } else { "automated" };
        let inner = [
            tag("SnapshotIdentifier", name),
            tag("ClusterIdentifier", &snapshot.owner),
            tag("SnapshotType", kind),
            tag("OwnerAccount", ACCOUNT),
        ];
        element("Snapshot", &inner.concat())
    };
    let found = account.snapshots.iter();
    let found = found.filter(|(_, snapshot)| wanted.as_ref().is_none_or(|w| *w == snapshot.owner));
    Ok(element("Snapshots", &found.map(one).collect::<String>()))
}
