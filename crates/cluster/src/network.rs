//! Network access. By default the warehouse is not reachable from outside its VPC. With `--public`,
//! one security group rule allows one address range; `down` removes it.

use quick_xml::de::from_str;
use serde::Deserialize;

use super::cloud::Cloud;
use super::tags::{PROJECT, Tags};
use super::{ClusterError, Watch};
use sparkify_config::ClusterSettings;

/// Security group rule with sparkify's tags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rule {
    #[serde(rename = "securityGroupRuleId")]
    pub id: String,
    #[serde(rename = "groupId")]
    pub group: String,
    #[serde(rename = "cidrIpv4")]
    pub cidr: String,
    #[serde(rename = "fromPort")]
    pub port: i32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    security_group_rule_set: RuleSet,
}
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RuleSet {
    item: Vec<Rule>,
}

fn parameter(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Returns the rules tagged with the name of the warehouse.
pub(super) async fn rules(cloud: &Cloud, name: &str) -> Result<Vec<Rule>, ClusterError> {
    let doing = "list security group rules";
    let filter = [
        parameter("Filter.1.Name", &format!("tag:{PROJECT}")),
        parameter("Filter.1.Value.1", name),
    ];
    let text = cloud.signed.ec2(doing, "DescribeSecurityGroupRules", &filter).await?;
    let answer = from_str::<Answer>(&text).map_err(|_| ClusterError::Unreachable {
        doing: doing.into(),
        reason: "the response is not from this service".into(),
    })?;
    Ok(answer.security_group_rule_set.item)
}

/// Allows the address range in the security group, unless a rule already does. Returns the new
/// rule.
pub(super) async fn allow(
    cloud: &Cloud,
    settings: &ClusterSettings,
    tags: &Tags,
    group: &str,
    watch: &Watch,
) -> Result<Option<Rule>, ClusterError> {
    let cidr = match &settings.allow_cidr {
        Some(cidr) => cidr.clone(),
        None => cloud.signed.own_address().await?,
    };
    let port = i32::from(settings.port);
    let existing = rules(cloud, &settings.name).await?;
    if existing.iter().any(|rule| rule.cidr == cidr && rule.port == port && rule.group == group) {
        return Ok(None);
    }
    (watch.report)(&format!(
        "allowing `{cidr}` to reach port {port} in the security group `{group}`"
    ));
    let mut parameters = vec![
        parameter("GroupId", group),
        parameter("IpPermissions.1.IpProtocol", "tcp"),
        parameter("IpPermissions.1.FromPort", &port.to_string()),
        parameter("IpPermissions.1.ToPort", &port.to_string()),
        parameter("IpPermissions.1.IpRanges.1.CidrIp", &cidr),
        parameter("IpPermissions.1.IpRanges.1.Description", &format!("sparkify {}", settings.name)),
        parameter("TagSpecification.1.ResourceType", "security-group-rule"),
    ];
    for (number, (key, value)) in tags.0.iter().enumerate() {
        let place = format!("TagSpecification.1.Tag.{}", number + 1);
        parameters.push(parameter(&format!("{place}.Key"), key));
        parameters.push(parameter(&format!("{place}.Value"), value));
    }
    let doing = format!("allow `{cidr}` in the security group `{group}`");
    match cloud.signed.ec2(&doing, "AuthorizeSecurityGroupIngress", &parameters).await {
        // The same rule exists without sparkify's tags, so `down` must not remove it.
        Err(error) if error.is("InvalidPermission.Duplicate") => Ok(None),
        ended => ended.map(|_| Some(Rule { group: group.into(), cidr, port, ..Rule::default() })),
    }
}

/// Removes a rule. Idempotent: a missing rule is not an error.
pub(super) async fn revoke(cloud: &Cloud, rule: &Rule) -> Result<(), ClusterError> {
    let doing = format!("remove `{}` from the security group `{}`", rule.cidr, rule.group);
    let parameters =
        [parameter("GroupId", &rule.group), parameter("SecurityGroupRuleId.1", &rule.id)];
    match cloud.signed.ec2(&doing, "RevokeSecurityGroupIngress", &parameters).await {
        Err(error)
            if error.is("InvalidSecurityGroupRuleId.NotFound")
                || error.is("InvalidGroup.NotFound") =>
        {
            Ok(())
        }
        ended => ended.map(drop),
    }
}
