//! From nothing to a warehouse: role, cluster (or namespace and workgroup), wait, rule. Each step looks first, so that a second run changes nothing and an
//! interrupted one goes on.

use serde::Serialize;

use super::cloud::Cloud;
use super::serverless::{self, Part};
use super::survey::{Standing, Status, Survey, told};
use super::tags::Tags;
use super::{ClusterError, FinalSnapshot, Watch, network, patience, plan, provisioned, role};
use sparkify_config::{ClusterSettings, Form};

/// What `up` came to.
#[derive(Debug, Clone, Serialize)]
pub struct Up {
    /// What was made or changed by this run.
    pub made: Vec<String>,
    /// What is there and differs from what is asked for.
    pub differences: Vec<String>,
    /// What is there now.
    #[serde(flatten)]
    pub status: Status,
}

/// What a run has done so far, and what it found.
#[derive(Default)]
struct Done {
    made: Vec<String>,
    found: Vec<String>,
}

pub(super) async fn up(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
) -> Result<Up, ClusterError> {
    let mut done = Done::default();
    match steps(cloud, settings, watch, &mut done).await {
        Err(ClusterError::Interrupted { .. }) => {
            let there = [done.found, done.made].concat();
            Err(ClusterError::Interrupted { there })
        }
        ended => ended,
    }
}

async fn steps(
    cloud: &Cloud,
    settings: &ClusterSettings,
    watch: &Watch,
    done: &mut Done,
) -> Result<Up, ClusterError> {
    let survey = Survey::take(cloud, settings).await?;
    survey.check_ours(settings)?;
    plan::check_role(settings, &survey)?;
    let tags = Tags::new(settings, &survey.caller.arn);
    let role = if let Some(arn) = role::given(settings, &survey.caller) {
        (watch.say)(&format!("using the role `{arn}` as it is"));
        arn.to_owned()
    } else {
        let (role, changed) = role::make(cloud, settings, &survey.caller, &tags, watch).await?;
        note(done, changed, format!("the role `{}`", role.name));
        role.arn
    };
    patience::check(watch)?;
    let warehouse = match settings.form {
        Form::Provisioned { .. } => {
            cluster(cloud, settings, &survey, &role, &tags, watch, done).await?
        }
        Form::Serverless { .. } => {
            pair(cloud, settings, &survey, &role, &tags, watch, done).await?
        }
    };
    if settings.public {
        open(cloud, settings, &warehouse, &tags, watch, done).await?;
    }
    let survey = Survey::take(cloud, settings).await?;
    let rules =
        if settings.public { network::rules(cloud, &settings.name).await? } else { Vec::new() };
    Ok(Up {
        made: std::mem::take(&mut done.made),
        differences: plan::differences(settings, Some(&warehouse)),
        status: told(&survey, &rules, settings, &cloud.region),
    })
}

fn note(done: &mut Done, made: bool, what: String) {
    if made { done.made.push(what) } else { done.found.push(what) }
}

async fn cluster(
    cloud: &Cloud,
    settings: &ClusterSettings,
    survey: &Survey,
    role: &str,
    tags: &Tags,
    watch: &Watch,
    done: &mut Done,
) -> Result<Standing, ClusterError> {
    let name = &settings.name;
    let mut found = survey.warehouse.clone();
    if found.as_ref().is_some_and(|found| found.state == "deleting") {
        provisioned::gone(cloud, settings, watch).await?;
        found = None;
    }
    if found.is_none() {
        (watch.say)(&format!("creating the cluster `{name}`"));
        provisioned::create(cloud, settings, role, tags, watch).await?;
    }
    note(done, found.is_none(), format!("the cluster `{name}`"));
    let cluster = provisioned::available(cloud, settings, watch).await?;
    // Between the look and the creation somebody else may have taken the name.
    if !cluster.tags.are_ours(name) {
        return Err(ClusterError::Foreign { what: "the cluster", name: name.clone() });
    }
    if !cluster.roles.is_empty() && cluster.roles.iter().any(|found| found == role) {
        return Ok(cluster);
    }
    (watch.say)(&format!("giving the cluster `{name}` its role"));
    provisioned::attach(cloud, settings, role, watch).await?;
    note(done, true, format!("the role of the cluster `{name}`"));
    provisioned::available(cloud, settings, watch).await
}

async fn pair(
    cloud: &Cloud,
    settings: &ClusterSettings,
    survey: &Survey,
    role: &str,
    tags: &Tags,
    watch: &Watch,
    done: &mut Done,
) -> Result<Standing, ClusterError> {
    let name = &settings.name;
    let deleting = |part: &Option<Standing>| part.as_ref().is_some_and(|p| p.state == "deleting");
    let (mut workgroup, mut namespace) = (survey.warehouse.clone(), survey.namespace.clone());
    if deleting(&workgroup) {
        serverless::gone(cloud, Part::Workgroup, settings, watch).await?;
        workgroup = None;
    }
    if deleting(&namespace) {
        serverless::gone(cloud, Part::Namespace, settings, watch).await?;
        namespace = None;
    }
    if namespace.is_none() {
        (watch.say)(&format!("creating the namespace `{name}`"));
        serverless::create_namespace(cloud, settings, role, tags, watch).await?;
    }
    note(done, namespace.is_none(), format!("the namespace `{name}`"));
    serverless::available(cloud, Part::Namespace, settings, watch).await?;
    if workgroup.is_none() {
        (watch.say)(&format!("creating the workgroup `{name}`"));
        serverless::create_workgroup(cloud, settings, tags, watch).await?;
    }
    note(done, workgroup.is_none(), format!("the workgroup `{name}`"));
    serverless::available(cloud, Part::Workgroup, settings, watch).await
}

/// Lets one range of addresses in, through the first group of the warehouse.
async fn open(
    cloud: &Cloud,
    settings: &ClusterSettings,
    warehouse: &Standing,
    tags: &Tags,
    watch: &Watch,
    done: &mut Done,
) -> Result<(), ClusterError> {
    let Some(group) = warehouse.groups.first() else {
        return Err(ClusterError::cannot(
            format!("{} has no security group to let anybody in through", warehouse.noun()),
            "name one with `--security-group sg-…`",
        ));
    };
    let rule = network::allow(cloud, settings, tags, group, watch).await?;
    if let Some(rule) = rule {
        note(done, true, format!("the rule for `{}` in `{}`", rule.cidr, rule.group));
    }
    Ok(())
}

impl FinalSnapshot {
    /// None is made.
    pub const NONE: Self = Self(None);
}
