//! Clusters and their snapshots.

use time::OffsetDateTime;

use crate::form::Form;
use crate::world::{Cluster, Life, World, written};
use crate::xml::{around, response, tag, tags};
use crate::{ACCOUNT, Answer, GROUP, REGION, Refusal, refuse, rules};

const VERSION: &str = "2012-12-01";
/// Type, the fewest and the most of them.
const NODES: &[(&str, i64, i64)] = &[
    ("ra3.large", 1, 16),
    ("ra3.xlplus", 1, 32),
    ("ra3.4xlarge", 2, 32),
    ("ra3.16xlarge", 2, 128),
    ("rg.large", 1, 16),
    ("rg.xlarge", 1, 32),
    ("rg.4xlarge", 2, 32),
    ("rg.12xlarge", 2, 128),
];

pub(crate) fn answer(world: &mut World, action: &str, body: &str) -> Answer {
    let form = Form::of(body, VERSION)?;
    let result = match action {
        "CreateCluster" => create(world, form),
        "DescribeClusters" => describe(world, form),
        "DeleteCluster" => delete(world, form),
        "ModifyClusterIamRoles" => roles(world, form),
        "DescribeClusterSnapshots" => snapshots(world, form),
        _ => Err(refuse(400, "InvalidAction", format!("Could not find operation {action}"))),
    };
    result.map(|result| response(action, &result))
}

fn invalid(message: &str) -> Refusal {
    refuse(400, "InvalidParameterValue", message)
}

fn create(world: &mut World, mut form: Form) -> Answer {
    let name = form.need("ClusterIdentifier")?;
    if !rules::identifier(&name) {
        return Err(invalid("Invalid cluster identifier"));
    }
    let (node_type, nodes) = size(&mut form)?;
    let (user, secret) = administrator(&mut form, &name)?;
    let database = form.take("DBName").unwrap_or_else(|| "dev".into());
    if !rules::database(&database) {
        return Err(invalid("Invalid database name"));
    }
    let port = form.number("Port")?.unwrap_or(5439);
    if !rules::port(port) {
        return Err(invalid("The port is out of the ranges 5431-5455 and 8191-8215"));
    }
    // Not said means true.
    if form.flag("Encrypted")? == Some(false) {
        return Err(invalid("Clusters must be encrypted"));
    }
    if form.take("ClusterSubnetGroupName").is_some_and(|group| group != "subnets") {
        return Err(refuse(
            400,
            "ClusterSubnetGroupNotFoundFault",
            "Cluster subnet group not found",
        ));
    }
    let groups = form.list("VpcSecurityGroupIds.VpcSecurityGroupId");
    if groups.iter().any(|group| group != GROUP) {
        return Err(invalid("Invalid security group"));
    }
    let public = form.flag("PubliclyAccessible")?.unwrap_or(false);
    let labels = form.tags("Tags.Tag");
    if !rules::tags(&labels) {
        return Err(refuse(400, "InvalidTagFault", "The tag is invalid"));
    }
    let roles = form.list("IamRoles.IamRoleArn");
    form.end()?;
    if world.clusters.contains_key(&name) {
        return Err(refuse(400, "ClusterAlreadyExists", "Cluster already exists"));
    }
    if world.clusters.len() >= world.manners.quota {
        return Err(refuse(400, "ClusterQuotaExceeded", "You have exceeded your cluster quota"));
    }
    for role in &roles {
        world.check_role(role, "redshift.amazonaws.com").map_err(|message| invalid(&message))?;
    }
    world.secrets.extend(secret.clone());
    let looks = if world.manners.endless { u32::MAX } else { world.manners.looks };
    let life = Life::begin("creating", looks, world.manners.created);
    let (group, created) = (GROUP.to_owned(), OffsetDateTime::now_utc());
    let cluster = Cluster {
        life,
        node_type,
        nodes,
        user,
        database,
        port,
        public,
        roles,
        group,
        secret,
        created,
        tags: labels,
    };
    let told = xml(&name, &cluster);
    world.clusters.insert(name, cluster);
    Ok(told)
}

fn size(form: &mut Form) -> Result<(String, i64), Refusal> {
    let node_type = form.need("NodeType")?;
    let known = NODES.iter().find(|(name, _, _)| *name == node_type);
    let (_, fewest, most) =
        *known.ok_or_else(|| invalid(&format!("Invalid node type: {node_type}")))?;
    let kind = form.take("ClusterType").unwrap_or_else(|| "multi-node".into());
    let nodes = match (kind.as_str(), form.number("NumberOfNodes")?) {
        ("single-node", None | Some(1)) => 1,
        ("single-node", Some(_)) => {
            return Err(refuse(
                400,
                "InvalidParameterCombination",
                "a single-node cluster has one node",
            ));
        }
        ("multi-node", None) => {
            return Err(refuse(
                400,
                "MissingParameter",
                "Number of nodes must be specified for a multi-node cluster",
            ));
        }
        ("multi-node", Some(nodes)) if (2..=100).contains(&nodes) => nodes,
        _ => return Err(invalid("Invalid cluster type or number of nodes")),
    };
    if (fewest..=most).contains(&nodes) {
        return Ok((node_type, nodes));
    }
    Err(refuse(
        400,
        "NumberOfNodesPerClusterLimitExceeded",
        "so many nodes of this type are not possible",
    ))
}

/// The administrator's name, and the secret if AWS keeps the password.
fn administrator(form: &mut Form, name: &str) -> Result<(String, Option<String>), Refusal> {
    let user = form.need("MasterUsername")?;
    if !rules::user(&user) {
        return Err(invalid("Invalid master user name"));
    }
    match (form.flag("ManageMasterPassword")?, form.take("MasterUserPassword")) {
        (Some(true), None) => Ok((user.clone(), Some(format!("redshift!{name}-{user}")))),
        (Some(true), Some(_)) => Err(refuse(
            400,
            "InvalidParameterCombination",
            "You can't use MasterUserPassword if ManageMasterPassword is true",
        )),
        (_, Some(password)) if rules::password(&password) => Ok((user, None)),
        (_, Some(_)) => Err(invalid("The password does not meet the requirements")),
        (_, None) => Err(refuse(400, "MissingParameter", "MasterUserPassword is missing")),
    }
}

fn xml(name: &str, cluster: &Cluster) -> String {
    let Cluster { node_type, nodes, user, database, port, public, created, .. } = cluster;
    let host = format!("{name}.abc123xyz789.{REGION}.redshift.amazonaws.com");
    let endpoint = tag("Address", &host) + &tag("Port", &port.to_string());
    let state = &cluster.life.state;
    let group = tag("VpcSecurityGroupId", &cluster.group) + &tag("Status", "active");
    let role = |role: &String| {
        around("ClusterIamRole", &(tag("IamRoleArn", role) + &tag("ApplyStatus", "in-sync")))
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
        // A cluster has an address once it is there.
        if state == "creating" { String::new() } else { around("Endpoint", &endpoint) },
        tag("ClusterCreateTime", &written(*created)),
        around("VpcSecurityGroups", &around("VpcSecurityGroup", &group)),
        tag("NumberOfNodes", &nodes.to_string()),
        tag("PubliclyAccessible", &public.to_string()),
        tag("Encrypted", "true"),
        around("Tags", &tags("Tag", &cluster.tags)),
        around("IamRoles", &cluster.roles.iter().map(role).collect::<String>()),
        secret.unwrap_or_default(),
    ];
    around("Cluster", &inner.concat())
}

fn missing(name: &str) -> Refusal {
    refuse(404, "ClusterNotFound", format!("Cluster {name} not found."))
}

fn describe(world: &mut World, mut form: Form) -> Answer {
    let wanted = form.take("ClusterIdentifier");
    form.end()?;
    if let Some(name) = &wanted {
        let cluster = world.clusters.get_mut(name).ok_or_else(|| missing(name))?;
        cluster.life.look();
        if cluster.life.state == "gone" {
            end(world, name);
            return Err(missing(name));
        }
    }
    let clusters =
        world.clusters.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|w| w == *name));
    let clusters: String = clusters.map(|(name, cluster)| xml(name, cluster)).collect();
    Ok(around("Clusters", &clusters))
}

fn end(world: &mut World, name: &str) {
    let Some(cluster) = world.clusters.remove(name) else { return };
    if world.manners.leaves {
        world.snapshots.insert(format!("rs:{name}-left"), (name.into(), false));
    } else if let Some(secret) = cluster.secret {
        world.secrets.retain(|found| *found != secret);
    }
}

fn delete(world: &mut World, mut form: Form) -> Answer {
    let name = form.need("ClusterIdentifier")?;
    let skips = form.flag("SkipFinalClusterSnapshot")?.unwrap_or(false);
    let snapshot = form.take("FinalClusterSnapshotIdentifier");
    form.end()?;
    match (skips, &snapshot) {
        (false, None) => {
            return Err(refuse(
                400,
                "InvalidParameterCombination",
                "FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is specified.",
            ));
        }
        (true, Some(_)) => {
            return Err(refuse(
                400,
                "InvalidParameterCombination",
                "a snapshot is named and skipped",
            ));
        }
        _ => {}
    }
    let looks = world.manners.looks;
    let cluster = world.clusters.get_mut(&name).ok_or_else(|| missing(&name))?;
    if ["creating", "deleting", "modifying"].contains(&cluster.life.state.as_str()) {
        let state = &cluster.life.state;
        let message = format!(
            "There is an operation running on the Cluster. Please try again. It is {state}"
        );
        // Time goes on while somebody waits.
        cluster.life.look();
        return Err(refuse(400, "InvalidClusterState", message));
    }
    cluster.life = Life::begin("deleting", looks, "gone");
    let told = xml(&name, cluster);
    if let Some(snapshot) = snapshot {
        if world.snapshots.contains_key(&snapshot) {
            return Err(refuse(400, "ClusterSnapshotAlreadyExists", "The snapshot exists already"));
        }
        world.snapshots.insert(snapshot, (name, true));
    }
    Ok(told)
}

fn roles(world: &mut World, mut form: Form) -> Answer {
    let name = form.need("ClusterIdentifier")?;
    let added = form.list("AddIamRoles.IamRoleArn");
    form.end()?;
    for role in &added {
        world.check_role(role, "redshift.amazonaws.com").map_err(|message| invalid(&message))?;
    }
    let looks = world.manners.looks;
    let cluster = world.clusters.get_mut(&name).ok_or_else(|| missing(&name))?;
    if cluster.life.state != "available" {
        return Err(refuse(400, "InvalidClusterState", "The cluster is not available"));
    }
    cluster.roles.extend(added);
    cluster.life = Life::begin("modifying", looks, "available");
    Ok(xml(&name, cluster))
}

fn snapshots(world: &World, mut form: Form) -> Answer {
    let wanted = form.take("ClusterIdentifier");
    form.end()?;
    let one = |(name, (cluster, manual)): (&String, &(String, bool))| {
        let kind = if *manual { "manual" } else { "automated" };
        let inner = [
            tag("SnapshotIdentifier", name),
            tag("ClusterIdentifier", cluster),
            tag("SnapshotType", kind),
            tag("OwnerAccount", ACCOUNT),
        ];
        around("Snapshot", &inner.concat())
    };
    let found = world.snapshots.iter();
    let found = found.filter(|(_, (cluster, _))| wanted.as_ref().is_none_or(|w| w == cluster));
    Ok(around("Snapshots", &found.map(one).collect::<String>()))
}
