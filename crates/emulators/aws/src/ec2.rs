//! Rules of security groups.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::form::Form;
use crate::world::{Rule, World};
use crate::xml::{around, tag};
use crate::{Answer, GROUP, Refusal, refuse, rules};

const VERSION: &str = "2016-11-15";

pub(crate) fn answer(world: &mut World, action: &str, body: &str) -> Answer {
    let form = Form::of(body, VERSION)?;
    let inner = match action {
        "AuthorizeSecurityGroupIngress" => authorize(world, form),
        "RevokeSecurityGroupIngress" => revoke(world, form),
        "DescribeSecurityGroupRules" => describe(world, form),
        _ => Err(refuse(400, "InvalidAction", format!("The action {action} is not valid"))),
    }?;
    let root = format!("{action}Response");
    Ok(format!("<?xml version=\"1.0\"?>{}", around(&root, &(tag("requestId", "r") + &inner))))
}

fn group(form: &mut Form) -> Result<String, Refusal> {
    let group = form.need("GroupId")?;
    if group == GROUP {
        return Ok(group);
    }
    Err(refuse(
        400,
        "InvalidGroup.NotFound",
        format!("The security group '{group}' does not exist"),
    ))
}

fn authorize(world: &mut World, mut form: Form) -> Answer {
    let group = group(&mut form)?;
    let place = "IpPermissions.1";
    let protocol = form.need(&format!("{place}.IpProtocol"))?;
    let from = form.number(&format!("{place}.FromPort"))?;
    let to = form.number(&format!("{place}.ToPort"))?;
    let cidr = form.need(&format!("{place}.IpRanges.1.CidrIp"))?;
    form.take(&format!("{place}.IpRanges.1.Description"));
    let kind = form.take("TagSpecification.1.ResourceType");
    let tags = form.tags("TagSpecification.1.Tag");
    form.end()?;
    let invalid = |why: &str| refuse(400, "InvalidParameterValue", why);
    if kind.is_some_and(|kind| kind != "security-group-rule") || !rules::tags(&tags) {
        return Err(invalid("invalid tags"));
    }
    let (address, width) =
        cidr.split_once('/').ok_or_else(|| invalid("CIDR block is malformed"))?;
    let known = address.parse::<Ipv4Addr>().is_ok() && width.parse::<u8>().is_ok_and(|w| w <= 32);
    let (Some(from), Some(to), true) = (from, to, known) else { return Err(invalid("malformed")) };
    // The real one takes these; nobody who tests against this one should ask for them.
    if cidr == "0.0.0.0/0" || protocol != "tcp" || from != to {
        return Err(invalid("the whole world, or more than one port, would be let in"));
    }
    if world
        .rules
        .values()
        .any(|rule| rule.group == group && rule.cidr == cidr && rule.port == from)
    {
        return Err(refuse(
            400,
            "InvalidPermission.Duplicate",
            "the specified rule already exists",
        ));
    }
    let id = format!("sgr-{:017x}", world.number());
    let rule = Rule { group, cidr, port: from, tags };
    let told = xml(&id, &rule);
    world.rules.insert(id, rule);
    Ok(tag("return", "true") + &around("securityGroupRuleSet", &told))
}

fn xml(id: &str, rule: &Rule) -> String {
    let port = rule.port.to_string();
    let inner = [
        tag("securityGroupRuleId", id),
        tag("groupId", &rule.group),
        tag("ipProtocol", "tcp"),
        tag("fromPort", &port),
        tag("toPort", &port),
        tag("cidrIpv4", &rule.cidr),
    ];
    around("item", &inner.concat())
}

fn describe(world: &World, mut form: Form) -> Answer {
    let name = form.take("Filter.1.Name");
    let value = form.take("Filter.1.Value.1").unwrap_or_default();
    form.end()?;
    let key = name.as_deref().and_then(|name| name.strip_prefix("tag:"));
    let fits =
        |tags: &BTreeMap<String, String>| key.is_none_or(|key| tags.get(key) == Some(&value));
    let rules = world.rules.iter().filter(|(_, rule)| fits(&rule.tags));
    Ok(around("securityGroupRuleSet", &rules.map(|(id, rule)| xml(id, rule)).collect::<String>()))
}

fn revoke(world: &mut World, mut form: Form) -> Answer {
    group(&mut form)?;
    let id = form.need("SecurityGroupRuleId.1")?;
    form.end()?;
    let missing =
        || refuse(400, "InvalidSecurityGroupRuleId.NotFound", format!("'{id}' does not exist"));
    world.rules.remove(&id).ok_or_else(missing)?;
    Ok(tag("return", "true"))
}
