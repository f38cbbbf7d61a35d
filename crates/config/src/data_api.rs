//! A cluster that is asked through Amazon's Data API instead of its own port: which one, and as whom.
//!
//! `redshift:workgroup/NAME/DATABASE` and `redshift:cluster/NAME/DATABASE?user=…` name it; `redshift://HOST/DATABASE?via=data-api` leaves it to the
//! host's name, as Amazon makes these. `secret=ARN` signs in by a secret, `region=…` says where, `session=SECONDS` how long a session outlives
//! whoever began it.

use std::fmt;

/// Who is asked, in the Data API's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataApiTarget {
    /// The name of a cluster.
    pub cluster: Option<String>,
    /// The name of a workgroup.
    pub workgroup: Option<String>,
    /// The database user, if one is named: then credentials of that user are asked for.
    pub user: Option<String>,
    /// The ARN of a secret that holds user and password.
    pub secret: Option<String>,
    /// The region, where the URL or the host says it.
    pub region: Option<String>,
    /// How many seconds a session outlives a program that was killed, where the URL says it.
    pub session: Option<u32>,
}

const NAMED: &str =
    "write it as `redshift:workgroup/NAME/DATABASE` or `redshift:cluster/NAME/DATABASE?user=…`";
const HOST: &str = "with `via=data-api` the host is a cluster's or workgroup's own name, or name it: `redshift:cluster/NAME/DATABASE`";

/// Takes what is about the Data API from what stands behind `redshift:`, and gives the rest as it is for a host.
pub(super) fn take(rest: &str) -> Result<(String, Option<DataApiTarget>), &'static str> {
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let pairs = || query.split('&').filter(|pair| !pair.is_empty());
    let value = |name: &str| {
        let found = pairs().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map(|text| text.replace("%3A", ":").replace("%3a", ":").replace("%2F", "/"))
    };
    let is_ours = |pair: &&str| {
        ["via=", "secret=", "region=", "session="].iter().any(|own| pair.starts_with(own))
    };
    let mut target = match (before.strip_prefix("//"), value("via").as_deref()) {
        (Some(_), None | Some("wire")) => return Ok((rest.to_owned(), None)),
        (Some(place), Some("data-api")) => of_host(place)?,
        (None, None | Some("data-api")) => named(before)?,
        _ => return Err("`via` may be `data-api`, or `wire` with a host"),
    };
    target.user = target.user.or(value("user"));
    target.secret = value("secret");
    target.region = value("region").or(target.region);
    target.session = value("session").map(|text| seconds(&text)).transpose()?;
    let mut kept: Vec<&str> = pairs().filter(|pair| !is_ours(pair)).collect();
    if target.user.is_none() {
        // Nobody signs in by name; whoever runs the program has nothing to do with it.
        kept.push("user=nobody");
    }
    let kept = kept.join("&");
    let place = before.strip_prefix("//").map_or_else(
        || format!("//{}", before.split_once('/').map_or("", |(_, name)| name)),
        |place| format!("//{place}"),
    );
    Ok((format!("{place}?{kept}"), Some(target)))
}

fn seconds(text: &str) -> Result<u32, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
    seconds.ok_or(
        "`session` is how many seconds a session outlives a program that was killed: 1 to 86400",
    )
}

fn named(before: &str) -> Result<DataApiTarget, &'static str> {
    let mut parts = before.split('/');
    let (kind, name, database) = (parts.next(), parts.next(), parts.next());
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let name = name.filter(|name| !name.is_empty() && name.bytes().all(fits)).ok_or(NAMED)?;
    if database.is_none_or(str::is_empty) || parts.next().is_some() {
        return Err(NAMED);
    }
    let name = Some(name.to_owned());
    match kind {
        Some("workgroup") => Ok(DataApiTarget { workgroup: name, ..DataApiTarget::default() }),
        Some("cluster") => Ok(DataApiTarget { cluster: name, ..DataApiTarget::default() }),
        _ => Err(NAMED),
    }
}

/// `NAME.x1y2.REGION.redshift.amazonaws.com` or `NAME.ACCOUNT.REGION.redshift-serverless.amazonaws.com`.
fn of_host(place: &str) -> Result<DataApiTarget, &'static str> {
    let authority = place.split('/').next().unwrap_or_default();
    let (who, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = host.split(':').next().unwrap_or_default();
    let labels: Vec<&str> = host.split('.').collect();
    let [name, _, region, service, "amazonaws", ..] = labels.as_slice() else { return Err(HOST) };
    let user = who.split(':').next().filter(|user| !user.is_empty()).map(str::to_owned);
    let name = Some((*name).to_owned());
    let target =
        DataApiTarget { region: Some((*region).to_owned()), user, ..DataApiTarget::default() };
    match *service {
        "redshift" => Ok(DataApiTarget { cluster: name, ..target }),
        // A workgroup signs people in by who they are for Amazon.
        "redshift-serverless" => Ok(DataApiTarget { workgroup: name, user: None, ..target }),
        _ => Err(HOST),
    }
}

/// As it stands in a URL, without the database.
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
        take(rest).unwrap().1.unwrap()
    }

    #[test]
    fn a_cluster_is_named_or_known_by_its_host() {
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
    fn the_rest_is_for_a_host() {
        assert_eq!(take("//u@h/d?schema=s").unwrap(), ("//u@h/d?schema=s".into(), None));
        let (rest, _) = take("cluster/one/dev?user=loader&region=x&schema=s").unwrap();
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
            assert!(take(wrong).is_err(), "{wrong}");
        }
    }
}
