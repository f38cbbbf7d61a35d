//! Target of Amazon's Redshift Data API, which is used instead of a connection to the cluster's
//! port.
//!
//! `redshift:workgroup/NAME/DATABASE` and `redshift:cluster/NAME/DATABASE?user=…` name the target.
//! `redshift://HOST/DATABASE?via=data-api` derives it from the host name, which Amazon builds from
//! the target's name. Parameters: `secret=ARN` (sign in with a secret), `region=…`, and
//! `session=SECONDS` (keep-alive of a session after its client has ended).

use std::fmt;

/// Cluster or workgroup, and sign-in, of Data API calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataApiTarget {
    /// Name of a provisioned cluster.
    pub cluster: Option<String>,
    /// Name of a serverless workgroup.
    pub workgroup: Option<String>,
    /// Database user whose temporary credentials are requested.
    pub user: Option<String>,
    /// ARN of a secret with user and password.
    pub secret: Option<String>,
    /// Region from the URL or the host name.
    pub region: Option<String>,
    /// Keep-alive of a session in seconds, for a client that was killed.
    pub session: Option<u32>,
}

const TARGET_FORMAT: &str =
    "write it as `redshift:workgroup/NAME/DATABASE` or `redshift:cluster/NAME/DATABASE?user=…`";
const HOST_FORMAT: &str = "use the endpoint of a cluster or workgroup with `via=data-api`, or write `redshift:cluster/NAME/DATABASE`";

/// Separates the parameters of the Data API from `rest`, the URL after `redshift:`. Returns the
/// remaining URL in the format of a host's, and the target, if the URL names one.
pub(super) fn extract(rest: &str) -> Result<(String, Option<DataApiTarget>), &'static str> {
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let pairs = || query.split('&').filter(|pair| !pair.is_empty());
    let value = |name: &str| {
        let found = pairs().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map(|text| text.replace("%3A", ":").replace("%3a", ":").replace("%2F", "/"))
    };
    let is_own = |pair: &&str| {
        ["via=", "secret=", "region=", "session="].iter().any(|own| pair.starts_with(own))
    };
    let mut target = match (before.strip_prefix("//"), value("via").as_deref()) {
        (Some(_), None | Some("wire")) => return Ok((rest.to_owned(), None)),
        (Some(address), Some("data-api")) => parse_host(address)?,
        (None, None | Some("data-api")) => parse_target(before)?,
        _ => return Err("set `via` to `data-api`, or to `wire` with a host"),
    };
    target.user = target.user.or(value("user"));
    target.secret = value("secret");
    target.region = value("region").or(target.region);
    target.session = value("session").map(|text| seconds(&text)).transpose()?;
    let mut kept: Vec<&str> = pairs().filter(|pair| !is_own(pair)).collect();
    if target.user.is_none() {
        // The Data API signs in by IAM identity or secret. A fixed user keeps the name of the
        // operating system's user out of the URL.
        kept.push("user=nobody");
    }
    let kept = kept.join("&");
    let address = before.strip_prefix("//").map_or_else(
        || format!("//{}", before.split_once('/').map_or("", |(_, name)| name)),
        |address| format!("//{address}"),
    );
    Ok((format!("{address}?{kept}"), Some(target)))
}

fn seconds(text: &str) -> Result<u32, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
    seconds.ok_or("set `session` to the keep-alive of a session in seconds, from 1 to 86400")
}

fn parse_target(before: &str) -> Result<DataApiTarget, &'static str> {
    let mut parts = before.split('/');
    let (kind, name, database) = (parts.next(), parts.next(), parts.next());
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let name =
        name.filter(|name| !name.is_empty() && name.bytes().all(fits)).ok_or(TARGET_FORMAT)?;
    if database.is_none_or(str::is_empty) || parts.next().is_some() {
        return Err(TARGET_FORMAT);
    }
    let name = Some(name.to_owned());
    match kind {
        Some("workgroup") => Ok(DataApiTarget { workgroup: name, ..DataApiTarget::default() }),
        Some("cluster") => Ok(DataApiTarget { cluster: name, ..DataApiTarget::default() }),
        _ => Err(TARGET_FORMAT),
    }
}

/// Parses the host `NAME.x1y2.REGION.redshift.amazonaws.com` or
/// `NAME.ACCOUNT.REGION.redshift-serverless.amazonaws.com`.
fn parse_host(address: &str) -> Result<DataApiTarget, &'static str> {
    let authority = address.split('/').next().unwrap_or_default();
    let (credentials, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = host.split(':').next().unwrap_or_default();
    let labels: Vec<&str> = host.split('.').collect();
    let [name, _, region, service, "amazonaws", ..] = labels.as_slice() else {
        return Err(HOST_FORMAT);
    };
    let user = credentials.split(':').next().filter(|user| !user.is_empty()).map(str::to_owned);
    let name = Some((*name).to_owned());
    let target =
        DataApiTarget { region: Some((*region).to_owned()), user, ..DataApiTarget::default() };
    match *service {
        "redshift" => Ok(DataApiTarget { cluster: name, ..target }),
        // A workgroup signs in by IAM identity, not by user name.
        "redshift-serverless" => Ok(DataApiTarget { workgroup: name, user: None, ..target }),
        _ => Err(HOST_FORMAT),
    }
}

/// Returns the region in the host name of a cluster or workgroup.
pub(super) fn region_of_host(endpoint: &str) -> Option<String> {
    parse_host(endpoint.trim_start_matches("redshift://")).ok()?.region
}

/// Formats the target as in a URL, without the database.
impl fmt::Display for DataApiTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.workgroup, &self.cluster) {
            (Some(name), _) => write!(f, "redshift:workgroup/{name}"),
            (None, Some(name)) => write!(f, "redshift:cluster/{name}"),
            (None, None) => f.write_str("redshift:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(rest: &str) -> DataApiTarget {
        extract(rest).unwrap().1.unwrap()
    }

    #[test]
    fn a_target_is_named_or_derived_from_the_host() {
        let named = target("workgroup/analytics/dev?region=eu-west-1&session=30");
        assert_eq!(named.session, Some(30));
        assert_eq!(
            (named.workgroup.as_deref(), named.region.as_deref()),
            (Some("analytics"), Some("eu-west-1"))
        );
        let named = target("cluster/one/dev?user=loader&schema=x");
        assert_eq!(
            (named.cluster.as_deref(), named.user.as_deref()),
            (Some("one"), Some("loader"))
        );
        let known =
            target("//loader@one.abc1.us-west-2.redshift.amazonaws.com:5439/dev?via=data-api");
        assert_eq!(
            (known.cluster.as_deref(), known.user.as_deref()),
            (Some("one"), Some("loader"))
        );
        assert_eq!(known.region.as_deref(), Some("us-west-2"));
        let known = target(
            "//wg.123456789012.us-east-1.redshift-serverless.amazonaws.com/dev?via=data-api",
        );
        assert_eq!((known.workgroup.as_deref(), known.user), (Some("wg"), None));
    }

    #[test]
    fn other_parameters_are_kept() {
        assert_eq!(extract("//u@h/d?schema=s").unwrap(), ("//u@h/d?schema=s".into(), None));
        let (rest, _) = extract("cluster/one/dev?user=loader&region=x&schema=s").unwrap();
        assert_eq!(rest, "//one/dev?user=loader&schema=s");
        for wrong in [
            "workgroup/analytics",
            "group/a/b",
            "workgroup/A b/d",
            "//h/d?via=data-api",
            "//h/d?via=pigeon",
            "workgroup/a/d?session=0",
            "workgroup/a/d?session=86401",
        ] {
            assert!(extract(wrong).is_err(), "{wrong}");
        }
    }
}
