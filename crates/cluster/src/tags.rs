//! Whose is it? Four tags on everything that is made: project, owner, created, and expires where a time to live was given.
//!
//! Only what carries the project's tag with the name of the cluster is ours; only that is ever changed or deleted.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use sparkify_config::ClusterSettings;

/// The tag by which we know our own.
pub(super) const PROJECT: &str = "sparkify:project";
const OWNER: &str = "sparkify:owner";
const CREATED: &str = "sparkify:created";
const TTL: &str = "sparkify:ttl";
const EXPIRES: &str = "sparkify:expires";

/// The tags of one thing.
#[derive(Debug, Clone, Default)]
pub(super) struct Tags(pub BTreeMap<String, String>);

impl Tags {
    /// What is put on everything that is made now.
    pub(super) fn new(settings: &ClusterSettings, owner: &str) -> Self {
        let now = OffsetDateTime::now_utc();
        let mut tags = BTreeMap::from([
            (PROJECT.to_owned(), settings.name.clone()),
            (OWNER.to_owned(), owner.to_owned()),
            (CREATED.to_owned(), written(now)),
        ]);
        if let Some(ttl) = settings.ttl {
            tags.insert(TTL.to_owned(), format!("{}s", ttl.as_secs()));
            tags.insert(EXPIRES.to_owned(), written(now + ttl));
        }
        Self(tags)
    }

    pub(super) fn from_pairs<'a>(
        pairs: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
    ) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self(pairs.map(|(key, value)| (text(key), text(value))).collect())
    }

    /// Whether it was made by us for the cluster of this name.
    pub(super) fn are_ours(&self, name: &str) -> bool {
        self.0.get(PROJECT).is_some_and(|project| project == name)
    }

    /// The cluster that it was made for.
    pub(super) fn project(&self) -> Option<&str> {
        self.0.get(PROJECT).map(String::as_str)
    }

    /// When it should be gone.
    pub(super) fn expires(&self) -> Option<OffsetDateTime> {
        self.moment(EXPIRES)
    }

    /// When it was made, by our own clock.
    pub(super) fn created(&self) -> Option<OffsetDateTime> {
        self.moment(CREATED)
    }

    fn moment(&self, name: &str) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(self.0.get(name)?, &Rfc3339).ok()
    }
}

/// A moment as the tags have it.
pub(super) fn written(moment: OffsetDateTime) -> String {
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default()
}
