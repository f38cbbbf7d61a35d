//! Who may reach the cluster? Nobody from outside, unless it was asked for: then one rule for one address, with our tags, removed on the way down.

use quick_xml::de::from_str;
use serde::Deserialize;

use super::cloud::Cloud;
use super::tags::{PROJECT, Tags};
use super::{ClusterError, Watch};
use sparkify_config::ClusterSettings;

/// A rule of ours.
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

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The rules that were made for the cluster of this name.
pub(super) async fn rules(cloud: &Cloud, name: &str) -> Result<Vec<Rule>, ClusterError> {
    let doing = "look for rules of security groups";
    let filter = [pair("Filter.1.Name", &format!("tag:{PROJECT}")), pair("Filter.1.Value.1", name)];
    let text = cloud.signed.ec2(doing, "DescribeSecurityGroupRules", &filter).await?;
    let answer = from_str::<Answer>(&text).map_err(|_| ClusterError::Unreachable {
        doing: doing.into(),
        reason: "the answer is none of this service".into(),
    })?;
    Ok(answer.security_group_rule_set.item)
}

/// Lets one range of addresses reach one port through this group, if it may not yet.
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
    let there = rules(cloud, &settings.name).await?;
    if there.iter().any(|rule| rule.cidr == cidr && rule.port == port && rule.group == group) {
        return Ok(None);
    }
    (watch.say)(&format!("letting `{cidr}` reach port {port} through `{group}`"));
    let mut parameters = vec![
        pair("GroupId", group),
        pair("IpPermissions.1.IpProtocol", "tcp"),
        pair("IpPermissions.1.FromPort", &port.to_string()),
        pair("IpPermissions.1.ToPort", &port.to_string()),
        pair("IpPermissions.1.IpRanges.1.CidrIp", &cidr),
        pair("IpPermissions.1.IpRanges.1.Description", &format!("sparkify {}", settings.name)),
        pair("TagSpecification.1.ResourceType", "security-group-rule"),
    ];
    for (number, (key, value)) in tags.0.iter().enumerate() {
        let place = format!("TagSpecification.1.Tag.{}", number + 1);
        parameters.push(pair(&format!("{place}.Key"), key));
        parameters.push(pair(&format!("{place}.Value"), value));
    }
    let doing = format!("let `{cidr}` through the security group `{group}`");
    match cloud.signed.ec2(&doing, "AuthorizeSecurityGroupIngress", &parameters).await {
        // Somebody else allows it already: it is theirs, and stays.
        Err(error) if error.is("InvalidPermission.Duplicate") => Ok(None),
        ended => ended.map(|_| Some(Rule { group: group.into(), cidr, port, ..Rule::default() })),
    }
}

/// Takes a rule of ours away; one that is gone is as good.
pub(super) async fn revoke(cloud: &Cloud, rule: &Rule) -> Result<(), ClusterError> {
    let doing = format!("remove `{}` from the security group `{}`", rule.cidr, rule.group);
    let parameters = [pair("GroupId", &rule.group), pair("SecurityGroupRuleId.1", &rule.id)];
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
