//! Validation of cluster settings by the rules of Amazon's documentation, before any request is
//! sent.

use std::time::Duration;

use super::cluster::{Form, Prefix};
use super::{ConfigError, Secret};

/// Available node types with their minimum number of nodes.
pub const NODE_TYPES: &[(&str, u16)] = &[
    ("ra3.large", 1),
    ("ra3.xlplus", 1),
    ("ra3.4xlarge", 2),
    ("ra3.16xlarge", 2),
    ("rg.large", 1),
    ("rg.xlarge", 1),
    ("rg.4xlarge", 2),
    ("rg.12xlarge", 2),
];

/// Retired node types of old configuration files, with their replacement.
const RETIRED: &[(&str, &str)] = &[
    ("dc2.large", "ra3.large"),
    ("dc2.8xlarge", "ra3.4xlarge"),
    ("dc1.large", "ra3.large"),
    ("dc1.8xlarge", "ra3.4xlarge"),
    ("ds2.xlarge", "ra3.xlplus"),
    ("ds2.8xlarge", "ra3.4xlarge"),
];

fn invalid(name: &'static str, written: impl Into<String>, hint: &'static str) -> ConfigError {
    ConfigError::Value { name, written: written.into(), hint }
}

/// Validates a name: 1 to 63 characters (serverless: 3 to 63), lower-case letters, digits and
/// hyphens; a letter first; no hyphen at the end, no two in a row.
pub(super) fn identifier(written: String, form: &Form) -> Result<String, ConfigError> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let lengths = if matches!(form, Form::Serverless { .. }) { 3..=63 } else { 1..=63 };
    let good = lengths.contains(&written.len())
        && written.bytes().all(fits)
        && written.starts_with(|c: char| c.is_ascii_lowercase())
        && !written.ends_with('-')
        && !written.contains("--");
    let lower = written.to_lowercase();
    if good {
        return Ok(written);
    }
    // Redshift stores names in lower case; the course's scripts write `dwhCluster`.
    if lower != written {
        return identifier(lower, form);
    }
    Err(invalid(
        "the cluster name",
        written,
        "use up to 63 lower-case letters, digits and single hyphens, a letter first; serverless names need at least 3 characters",
    ))
}

/// Validates a node type. A retired type is replaced, with a warning.
pub(super) fn node_type(written: &str, warnings: &mut Vec<String>) -> Result<String, ConfigError> {
    let lower = written.to_lowercase();
    if NODE_TYPES.iter().any(|(name, _)| *name == lower) {
        return Ok(lower);
    }
    let Some((_, replacement)) = RETIRED.iter().find(|(name, _)| *name == lower) else {
        return Err(invalid(
            "the node type",
            written,
            "use ra3.large, ra3.xlplus, ra3.4xlarge, ra3.16xlarge, rg.large, rg.xlarge, rg.4xlarge or rg.12xlarge",
        ));
    };
    warnings.push(format!(
        "using `{replacement}` instead of `{lower}`: AWS retires DC and DS nodes and offers them to few accounts; the price differs, see `sparkify cluster plan`"
    ));
    Ok((*replacement).to_owned())
}

/// Returns the number of nodes. `kind` is the value of `DWH_CLUSTER_TYPE`.
pub(super) fn nodes(
    kind: Option<&str>,
    written: Option<&str>,
    node_type: &str,
) -> Result<u16, ConfigError> {
    let minimum = NODE_TYPES.iter().find(|(name, _)| *name == node_type).map_or(1, |(_, min)| *min);
    let given = written.map(|written| {
        let fits = |nodes: &u16| (1..=100).contains(nodes);
        written.parse::<u16>().ok().filter(fits).ok_or_else(|| {
            invalid("the number of nodes", written, "give a whole number from 1 to 100")
        })
    });
    let given = given.transpose()?;
    let nodes = match (kind, given) {
        (Some("single-node"), _) => 1,
        (Some("multi-node"), None) => {
            return Err(ConfigError::Unset {
                name: "the number of nodes of the multi-node cluster",
                hint: "set DWH_NUM_NODES in [DWH], or pass `--nodes N`",
            });
        }
        (Some("multi-node"), Some(1)) => {
            return Err(invalid(
                "the number of nodes of a multi-node cluster",
                "1",
                "give 2 or more, or set the cluster type to `single-node`",
            ));
        }
        (None | Some("multi-node"), given) => given.unwrap_or(minimum),
        (Some(other), _) => {
            return Err(invalid(
                "the cluster type",
                other,
                "use `single-node`, `multi-node` or `serverless`",
            ));
        }
    };
    if nodes >= minimum {
        return Ok(nodes);
    }
    Err(invalid(
        "the number of nodes of this node type",
        nodes.to_string(),
        "give 2 or more, or use a smaller node type: 4xlarge and larger types need 2 nodes",
    ))
}

/// Validates the base capacity: 4, or a multiple of 8.
pub(super) fn capacity(written: Option<&str>) -> Result<u16, ConfigError> {
    let Some(written) = written else { return Ok(8) };
    let fits = |units: &u16| *units == 4 || (units.is_multiple_of(8) && (8..=512).contains(units));
    written.parse().ok().filter(fits).ok_or_else(|| {
        invalid("the base capacity", written, "give 4, or a multiple of 8 from 8 to 512, in RPU")
    })
}

/// Validates the maximum capacity; the default is the base capacity, so that the hourly cost is
/// known. AWS documents no maximum below 8.
pub(super) fn max_capacity(written: Option<&str>, base: u16) -> Result<u16, ConfigError> {
    let Some(written) = written else { return Ok(base.max(8)) };
    let fits = |units: &u16| units.is_multiple_of(8) && (base.max(8)..=5632).contains(units);
    written.parse().ok().filter(fits).ok_or_else(|| {
        invalid(
            "the maximum capacity",
            written,
            "give a multiple of 8 in RPU, from the base capacity to 5632",
        )
    })
}

/// Hours of work at the base capacity that the default usage limit allows per day.
const DEFAULT_HOURS: u32 = 8;

/// Parses the usage limit in RPU-hours per day, or `none`.
pub(super) fn usage_limit(written: Option<&str>, base: u16) -> Result<Option<u32>, ConfigError> {
    let Some(written) = written else { return Ok(Some(u32::from(base) * DEFAULT_HOURS)) };
    if written.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let fits = |hours: &u32| (1..=1_000_000).contains(hours);
    written.parse().ok().filter(fits).map(Some).ok_or_else(|| {
        invalid("the usage limit", written, "give RPU-hours per day as a whole number, or `none`")
    })
}

/// Parses the port. A client may reach a warehouse through any port, for example a tunnel's.
pub(super) fn port(written: Option<&str>) -> Result<u16, ConfigError> {
    let Some(written) = written else { return Ok(5439) };
    written
        .parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| invalid("the port", written, "give a port from 1 to 65535"))
}

/// Validates the port of a new warehouse by the ranges that RA3 nodes and workgroups accept.
pub(super) fn check_port(port: u16) -> Result<(), ConfigError> {
    if (5431..=5455).contains(&port) || (8191..=8215).contains(&port) {
        return Ok(());
    }
    let hint = "give a port from 5431 to 5455 or from 8191 to 8215";
    Err(invalid("the port", port.to_string(), hint))
}

/// Validates a database name: 1 to 64 lower-case letters, digits and underscores, a letter first.
pub(super) fn database(written: String) -> Result<String, ConfigError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let good = (1..=64).contains(&written.len())
        && written.chars().all(fits)
        && written.starts_with(|c: char| c.is_ascii_lowercase());
    if good {
        return Ok(written);
    }
    Err(invalid(
        "the database name",
        written,
        "use up to 64 lower-case letters, digits and underscores, a letter first",
    ))
}

/// Validates an administrator name: 1 to 127 characters, lower case, a letter first, not `public`.
pub(super) fn user(written: String) -> Result<String, ConfigError> {
    let fits = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '+' | '.' | '@' | '-')
    };
    let good = (1..=127).contains(&written.len())
        && written.chars().all(fits)
        && written.starts_with(|c: char| c.is_ascii_lowercase())
        && written != "public";
    if good {
        return Ok(written);
    }
    Err(invalid(
        "the administrator name",
        written,
        "use lower-case letters and digits, a letter first",
    ))
}

/// Validates a password: 8 to 64 printable characters with an upper-case letter, a lower-case
/// letter and a digit, without `'"\/@` and space. Errors never contain it.
pub(super) fn password(written: &str) -> Result<Secret, ConfigError> {
    let has = |kind: fn(&u8) -> bool| written.as_bytes().iter().any(kind);
    let good = (8..=64).contains(&written.len())
        && written.bytes().all(|byte| byte.is_ascii_graphic() && !b"'\"\\/@".contains(&byte))
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit);
    if good {
        return Ok(Secret::new(written));
    }
    Err(invalid(
        "the password",
        "****",
        "use 8 to 64 characters with an upper-case letter, a lower-case letter and a digit, without ' \" \\ / @ and space; or omit `--password-from-config`",
    ))
}

/// Maximum length of a role name in bytes.
const MAX_ROLE_NAME: usize = 64;

/// Returns the default names of the role: that of new roles, and that of version 0.1. A long name of
/// a cluster is truncated.
pub(super) fn default_role_names(cluster: &str, region: &str) -> Vec<String> {
    let with_suffix = |suffix: String| {
        let length = cluster.len().min(MAX_ROLE_NAME.saturating_sub(suffix.len()));
        format!("{}{suffix}", &cluster[..length])
    };
    vec![with_suffix(format!("-{region}-s3")), with_suffix("-s3".into())]
}

/// Validates a role name: 1 to 64 characters that IAM accepts.
pub(super) fn role_name(written: String) -> Result<String, ConfigError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (1..=MAX_ROLE_NAME).contains(&written.len()) && written.chars().all(fits) {
        return Ok(written);
    }
    Err(invalid("the role name", written, "use up to 64 letters, digits and `_+=,.@-`"))
}

/// Validates a role ARN: `arn:aws:iam::123456789012:role/path/name`.
pub(super) fn role_arn(written: String) -> Result<String, ConfigError> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if is_iam_arn(&written, "role/", is_account) {
        return Ok(written);
    }
    Err(invalid(
        "the role ARN",
        written,
        "write it as `arn:aws:iam::123456789012:role/NAME`, or leave it empty to create a role",
    ))
}

/// Validates the ARN of a managed policy, of an account or of AWS.
pub(super) fn policy_arn(written: String) -> Result<String, ConfigError> {
    let is_owner =
        |text: &str| text == "aws" || text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if is_iam_arn(&written, "policy/", is_owner) {
        return Ok(written);
    }
    Err(invalid(
        "the permissions boundary",
        written,
        "write it as `arn:aws:iam::123456789012:policy/NAME`",
    ))
}

/// Returns true for `arn:aws:iam::OWNER:` followed by `kind` and a name.
fn is_iam_arn(written: &str, kind: &str, is_owner: impl Fn(&str) -> bool) -> bool {
    let parts: Vec<&str> = written.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, "iam", "", owner, resource]
        if partition.starts_with("aws") && is_owner(owner) && resource.len() > kind.len()
            && resource.starts_with(kind) && resource.bytes().all(|b| b.is_ascii_graphic()))
}

/// Validates an IPv4 range in CIDR notation. Ranges wider than /8 are refused, since they open the
/// cluster to the whole internet.
pub(super) fn cidr(written: String) -> Result<String, ConfigError> {
    let (address, width) = written.split_once('/').unwrap_or((&written, "32"));
    let width = width.parse::<u8>().ok().filter(|width| (8..=32).contains(width));
    match (address.parse::<std::net::Ipv4Addr>(), width) {
        (Ok(address), Some(width)) if !address.is_unspecified() => Ok(format!("{address}/{width}")),
        _ => Err(invalid(
            "the address range",
            written,
            "write it as `203.0.113.7/32`; ranges wider than /8 are refused",
        )),
    }
}

/// Parses `4h`, `90m`, `2d` or `45s`, up to a year.
pub(super) fn duration(written: &str) -> Result<Duration, ConfigError> {
    let (digits, unit) = written.split_at(
        written
            .len()
            .saturating_sub(1)
            .min(written.find(|c: char| !c.is_ascii_digit()).unwrap_or(0)),
    );
    let scale = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        _ => None,
    };
    let seconds = digits.parse::<u64>().ok().zip(scale);
    let seconds = seconds.and_then(|(number, scale)| number.checked_mul(scale));
    seconds
        .filter(|seconds| (1..=31_536_000).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| {
            invalid("the duration", written, "write it as `45s`, `90m`, `4h` or `2d`, up to a year")
        })
}

/// Parses the seconds between two status requests.
pub(super) fn poll(written: &str) -> Result<Duration, ConfigError> {
    let seconds = written.parse::<f64>().ok().filter(|seconds| (0.01..=300.0).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| invalid("the polling interval", written, "give seconds from 0.01 to 300"))
}

/// Parses `s3://bucket/prefix`.
pub(super) fn prefix(written: &str, is_object: bool, write: bool) -> Result<Prefix, ConfigError> {
    let rest = written.strip_prefix("s3://");
    let (bucket, key) = rest.map_or(("", ""), |rest| rest.split_once('/').unwrap_or((rest, "")));
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    let key = key.trim_end_matches('/');
    // In an IAM policy, `*` and `?` are wildcards and `$` starts a variable: the policy would allow
    // more than the prefix.
    let plain = !key.contains(['*', '?', '$']) && !key.contains(char::is_control);
    if (3..=63).contains(&bucket.len()) && bucket.bytes().all(fits) && plain {
        return Ok(Prefix { bucket: bucket.into(), key: key.into(), is_object, write });
    }
    Err(invalid(
        "the S3 location",
        written,
        "write it as `s3://bucket/prefix`, without `*`, `?` or `$`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: Form = Form::Provisioned { node_type: String::new(), nodes: 1 };

    #[test]
    fn names_follow_the_rules_of_redshift() {
        assert_eq!(identifier("dwhCluster".into(), &NODES).unwrap(), "dwhcluster");
        for wrong in ["", "1a", "a--b", "a-", "a_b", "é", &"a".repeat(64)] {
            assert!(identifier(wrong.to_owned(), &NODES).is_err(), "{wrong}");
        }
        let serverless = Form::Serverless { base_capacity: 8, max_capacity: 8, usage_limit: None };
        assert!(identifier("ab".into(), &serverless).is_err());
    }

    #[test]
    fn default_role_names_contain_the_region_and_fit() {
        let names = default_role_names("dwh", "us-west-2");
        assert_eq!(names, ["dwh-us-west-2-s3", "dwh-s3"]);
        for name in default_role_names(&"a".repeat(63), "ap-southeast-1") {
            assert!(name.ends_with("-s3") && role_name(name).is_ok());
        }
    }

    #[test]
    fn a_retired_node_type_is_replaced_with_a_warning() {
        let mut warnings = Vec::new();
        assert_eq!(node_type("dc2.large", &mut warnings).unwrap(), "ra3.large");
        assert!(warnings[0].contains("retires"));
        assert!(node_type("m5.large", &mut warnings).is_err());
    }

    #[test]
    fn sizes_ports_and_durations_are_bounded() {
        assert_eq!(nodes(Some("multi-node"), Some("4"), "ra3.large").unwrap(), 4);
        assert_eq!(nodes(Some("single-node"), Some("4"), "ra3.large").unwrap(), 1);
        assert_eq!(nodes(None, None, "ra3.4xlarge").unwrap(), 2);
        for (kind, count, node) in [
            (Some("multi-node"), None, "ra3.large"),
            (Some("multi-node"), Some("1"), "ra3.large"),
            (Some("single-node"), None, "ra3.4xlarge"),
            (Some("many"), Some("2"), "ra3.large"),
            (None, Some("0"), "ra3.large"),
        ] {
            assert!(nodes(kind, count, node).is_err(), "{kind:?} {count:?} {node}");
        }
        assert_eq!(capacity(Some("4")).unwrap(), 4);
        assert!(["0", "7", "12", "520", "-8"].iter().all(|n| capacity(Some(n)).is_err()));
        assert_eq!(max_capacity(None, 16).unwrap(), 16);
        assert_eq!(max_capacity(None, 4).unwrap(), 8);
        assert_eq!(max_capacity(Some("64"), 16).unwrap(), 64);
        assert!(["8", "20", "5640", "x"].iter().all(|n| max_capacity(Some(n), 16).is_err()));
        assert_eq!(usage_limit(None, 8).unwrap(), Some(64));
        assert_eq!(usage_limit(Some("none"), 8).unwrap(), None);
        assert!(["0", "-1", "1.5"].iter().all(|n| usage_limit(Some(n), 8).is_err()));
        assert_eq!(port(Some("15439")).unwrap(), 15_439);
        assert!(["0", "65536", "x"].iter().all(|n| port(Some(n)).is_err()));
        assert!([5430, 5456, 8190, 80].iter().all(|n| check_port(*n).is_err()));
        assert!([5439, 8200].iter().all(|n| check_port(*n).is_ok()));
        assert_eq!(duration("4h").unwrap().as_secs(), 14_400);
        assert!(["", "4", "h", "-1h", "0s", "9999d", "4hh"].iter().all(|n| duration(n).is_err()));
    }

    #[test]
    fn wide_address_ranges_are_refused_and_passwords_are_not_shown() {
        assert_eq!(cidr("203.0.113.7".into()).unwrap(), "203.0.113.7/32");
        for wrong in ["0.0.0.0/0", "1.2.3.4/0", "1.2.3", "::1/128", "1.2.3.4/33"] {
            assert!(cidr(wrong.into()).is_err(), "{wrong}");
        }
        for weak in ["short1A", "alllowercase1", "NoDigitsHere", "With'Quote1a", "Slash/1aBcd"] {
            let error = password(weak).unwrap_err();
            assert!(!format!("{error} {error:?} {}", error.hint()).contains(weak));
        }
        assert!(password("Passw0rd1").is_ok());
    }

    #[test]
    fn a_prefix_is_one_part_of_one_bucket() {
        let found = prefix("s3://udacity-dend/log_data/", false, false).unwrap();
        assert_eq!((found.bucket.as_str(), found.key.as_str()), ("udacity-dend", "log_data"));
        for wrong in ["s3://", "s3://UP/x", "/tmp/x", "s3://bucket/a*", "s3://bucket/${x}"] {
            assert!(prefix(wrong, false, false).is_err(), "{wrong}");
        }
    }
}
