//! Tags of created resources: project, owner and creation time; with a time to live also its length
//! and the expiry time.
//!
//! Only resources whose project tag is the name of the warehouse are ever changed or deleted.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use sparkify_config::ClusterSettings;

/// Tag that marks managed resources. Its value is the name of the warehouse.
pub(super) const PROJECT: &str = "sparkify:project";
const OWNER: &str = "sparkify:owner";
const CREATED: &str = "sparkify:created";
const TTL: &str = "sparkify:ttl";
const EXPIRES: &str = "sparkify:expires";

/// Tags of one resource.
#[derive(Debug, Clone, Default)]
pub(super) struct Tags(pub BTreeMap<String, String>);

impl Tags {
    /// Returns the tags for resources created by this run.
    pub(super) fn new(settings: &ClusterSettings, owner: &str) -> Self {
        let now = OffsetDateTime::now_utc();
        let mut tags = BTreeMap::from([
            (PROJECT.to_owned(), settings.name.clone()),
            (OWNER.to_owned(), owner.to_owned()),
            (CREATED.to_owned(), format_time(now)),
        ]);
        if let Some(ttl) = settings.ttl {
            tags.insert(TTL.to_owned(), format!("{}s", ttl.as_secs()));
            tags.insert(EXPIRES.to_owned(), format_time(now + ttl));
        }
        Self(tags)
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
        self.time(EXPIRES)
    }

    /// Returns the creation time, by the clock of the creating machine.
    pub(super) fn created(&self) -> Option<OffsetDateTime> {
        self.time(CREATED)
    }

    fn time(&self, name: &str) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(self.0.get(name)?, &Rfc3339).ok()
    }
}

/// Formats a time for a tag: RFC 3339 in whole seconds.
pub(super) fn format_time(moment: OffsetDateTime) -> String {
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default()
}
