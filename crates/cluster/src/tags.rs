//! Tags of created resources: project, region, owner and creation time; with a time to live also
//! its length and the expiry time.
//!
//! Only resources whose project tag is the name of the warehouse are ever changed or deleted. A
//! role belongs to no region: it has one tag per region that uses it, with the expiry there.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use sparkify_config::ClusterSettings;

/// Tag that marks managed resources. Its value is the name of the warehouse.
pub(super) const PROJECT: &str = "sparkify:project";
const OWNER: &str = "sparkify:owner";
const CREATED: &str = "sparkify:created";
const REGION: &str = "sparkify:region";
const TTL: &str = "sparkify:ttl";
const EXPIRES: &str = "sparkify:expires";
/// Prefix of the tags of a role; the region follows.
const USED_IN: &str = "sparkify:region:";
/// Value of an expiry that was removed: tags are only overwritten, so that no permission to delete
/// tags is needed.
const NEVER: &str = "none";

/// Tags of one resource.
#[derive(Debug, Clone, Default)]
pub(super) struct Tags(pub BTreeMap<String, String>);

impl Tags {
    /// Returns the tags of the resources of a region.
    ///
    /// Without `--ttl`, all parts get the expiry of the existing warehouse: a second `up` neither
    /// prolongs nor ends its life.
    pub(super) fn new(
        settings: &ClusterSettings,
        owner: &str,
        region: &str,
        existing: Option<&Self>,
    ) -> Self {
        let now = OffsetDateTime::now_utc();
        let mut tags = BTreeMap::from([
            (PROJECT.to_owned(), settings.name.clone()),
            (REGION.to_owned(), region.to_owned()),
            (OWNER.to_owned(), owner.to_owned()),
            (CREATED.to_owned(), format_time(now)),
        ]);
        if let Some(ttl) = settings.ttl {
            tags.insert(TTL.to_owned(), format!("{}s", ttl.as_secs()));
            tags.insert(EXPIRES.to_owned(), format_time(now + ttl));
        } else if let Some(expires) = existing.and_then(Self::expires) {
            tags.insert(EXPIRES.to_owned(), format_time(expires));
        }
        Self(tags)
    }

    /// Returns the same tags for a role, which this region uses.
    pub(super) fn of_role(&self, region: &str) -> Self {
        let mut tags = self.0.clone();
        tags.remove(REGION);
        tags.remove(TTL);
        let expires = tags.remove(EXPIRES).unwrap_or_else(|| NEVER.to_owned());
        tags.insert(used_in_tag(region), expires);
        Self(tags)
    }

    /// Returns the tags to write on a resource that has the tags `existing`; none if they are up to
    /// date. Owner and creation time never change.
    pub(super) fn update_of(&self, existing: &Self) -> Option<Self> {
        let mut wanted = self.0.clone();
        wanted.remove(OWNER);
        wanted.remove(CREATED);
        if existing.expires().is_some() && !wanted.contains_key(EXPIRES) {
            wanted.insert(TTL.to_owned(), NEVER.to_owned());
            wanted.insert(EXPIRES.to_owned(), NEVER.to_owned());
        }
        let is_current = wanted.iter().all(|(key, value)| existing.0.get(key) == Some(value));
        (!is_current).then_some(Self(wanted))
    }

    pub(super) fn from_pairs<'a>(
        pairs: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
    ) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self(pairs.map(|(key, value)| (text(key), text(value))).collect())
    }

    /// Returns true if sparkify created the resource for the warehouse of this name.
    pub(super) fn belong_to(&self, name: &str) -> bool {
        self.0.get(PROJECT).is_some_and(|project| project == name)
    }

    /// Returns the name of the warehouse.
    pub(super) fn project(&self) -> Option<&str> {
        self.0.get(PROJECT).map(String::as_str)
    }

    /// Returns the expiry time.
    pub(super) fn expires(&self) -> Option<OffsetDateTime> {
        parse_time(self.0.get(EXPIRES)?)
    }

    /// Returns the creation time, by the clock of the creating machine.
    pub(super) fn created(&self) -> Option<OffsetDateTime> {
        parse_time(self.0.get(CREATED)?)
    }

    /// Returns the regions that use a role, with the expiry in each. A role of version 0.1 names
    /// none.
    pub(super) fn used_in(&self) -> BTreeMap<&str, Option<OffsetDateTime>> {
        let regions = self
            .0
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(USED_IN)?, parse_time(value))));
        regions.collect()
    }

    /// Returns the tags that name these regions as users of a role, without expiry.
    pub(super) fn uses(project: &str, regions: &[String]) -> Self {
        let uses = regions.iter().map(|region| (used_in_tag(region), NEVER.to_owned()));
        Self(uses.chain([(PROJECT.to_owned(), project.to_owned())]).collect())
    }
}

/// Returns the tag that names a region as user of a role.
pub(super) fn used_in_tag(region: &str) -> String {
    format!("{USED_IN}{region}")
}

fn parse_time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Formats a time for a tag: RFC 3339 in whole seconds.
pub(super) fn format_time(moment: OffsetDateTime) -> String {
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default()
}
