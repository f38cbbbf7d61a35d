//! EC2: ingress rules of the security group, and regions.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::account::{Account, IngressRule};
use crate::parameters::Parameters;
use crate::xml::{element, tag};
use crate::{ApiError, ApiResult, GROUP, REGION, error, validation};

const VERSION: &str = "2016-11-15";

pub(crate) fn respond(account: &mut Account, action: &str, body: &str) -> ApiResult {
    let parameters = Parameters::of(body, VERSION)?;
    let inner = match action {
        "AuthorizeSecurityGroupIngress" => authorize(account, parameters),
        "RevokeSecurityGroupIngress" => revoke(account, parameters),
        "DescribeSecurityGroupRules" => describe(account, parameters),
        "DescribeRegions" => describe_regions(parameters),
        _ => Err(error(400, "InvalidAction", format!("The action {action} is not valid"))),
    }?;
    let root = format!("{action}Response");
    Ok(format!("<?xml version=\"1.0\"?>{}", element(&root, &(tag("requestId", "r") + &inner))))
}

fn group(parameters: &mut Parameters) -> Result<String, ApiError> {
    let group = parameters.require("GroupId")?;
    if group == GROUP {
        return Ok(group);
    }
    Err(error(400, "InvalidGroup.NotFound", format!("The security group '{group}' does not exist")))
}

fn authorize(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    let group = group(&mut parameters)?;
    let permission = "IpPermissions.1";
    let protocol = parameters.require(&format!("{permission}.IpProtocol"))?;
    let from = parameters.number(&format!("{permission}.FromPort"))?;
    let to = parameters.number(&format!("{permission}.ToPort"))?;
    let cidr = parameters.require(&format!("{permission}.IpRanges.1.CidrIp"))?;
    parameters.take(&format!("{permission}.IpRanges.1.Description"));
    let kind = parameters.take("TagSpecification.1.ResourceType");
    let tags = parameters.tags("TagSpecification.1.Tag");
    parameters.finish()?;
    let invalid = |why: &str| error(400, "InvalidParameterValue", why);
    if kind.is_some_and(|kind| kind != "security-group-rule") || !validation::are_tags(&tags) {
        return Err(invalid("invalid tags"));
    }
    let (address, width) =
        cidr.split_once('/').ok_or_else(|| invalid("CIDR block is malformed"))?;
    let known = address.parse::<Ipv4Addr>().is_ok() && width.parse::<u8>().is_ok_and(|w| w <= 32);
    let (Some(from), Some(to), true) = (from, to, known) else { return Err(invalid("malformed")) };
    // AWS accepts these, but they are never intended in a test.
    if cidr == "0.0.0.0/0" || protocol != "tcp" || from != to {
        return Err(invalid("the rule allows all addresses or more than one port"));
    }
    if account
        .rules
        .values()
        .any(|rule| rule.group == group && rule.cidr == cidr && rule.port == from)
    {
        return Err(error(400, "InvalidPermission.Duplicate", "the specified rule already exists"));
    }
    let id = format!("sgr-{:017x}", account.next_number());
    let rule = IngressRule { group, cidr, port: from, tags };
    let response = xml(&id, &rule);
    account.rules.insert(id, rule);
    Ok(tag("return", "true") + &element("securityGroupRuleSet", &response))
}

fn xml(id: &str, rule: &IngressRule) -> String {
    let port = rule.port.to_string();
    let inner = [
        tag("securityGroupRuleId", id),
        tag("groupId", &rule.group),
        tag("ipProtocol", "tcp"),
        tag("fromPort", &port),
        tag("toPort", &port),
        tag("cidrIpv4", &rule.cidr),
    ];
    element("item", &inner.concat())
}

fn describe(account: &Account, mut parameters: Parameters) -> ApiResult {
    let name = parameters.take("Filter.1.Name");
    let value = parameters.take("Filter.1.Value.1").unwrap_or_default();
    parameters.finish()?;
    let key = name.as_deref().and_then(|name| name.strip_prefix("tag:"));
    let matches =
        |tags: &BTreeMap<String, String>| key.is_none_or(|key| tags.get(key) == Some(&value));
    let rules = account.rules.iter().filter(|(_, rule)| matches(&rule.tags));
    Ok(element("securityGroupRuleSet", &rules.map(|(id, rule)| xml(id, rule)).collect::<String>()))
}

/// The account has resources in one region only.
fn describe_regions(parameters: Parameters) -> ApiResult {
    parameters.finish()?;
    Ok(element("regionInfo", &element("item", &tag("regionName", REGION))))
}

fn revoke(account: &mut Account, mut parameters: Parameters) -> ApiResult {
    group(&mut parameters)?;
    let id = parameters.require("SecurityGroupRuleId.1")?;
    parameters.finish()?;
    let missing =
        || error(400, "InvalidSecurityGroupRuleId.NotFound", format!("'{id}' does not exist"));
    account.rules.remove(&id).ok_or_else(missing)?;
    Ok(tag("return", "true"))
}
