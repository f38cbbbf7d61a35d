//! Moved data: objects whose location changed, while their content did not.
//!
//! Keys are absolute, so a moved folder or bucket looks like new objects, and the loaded ones keep
//! their rows: staging would hold everything twice. [`Ledger::find_moved`] notices that, and
//! [`Ledger::relocate`] gives the entries their new keys. The comparison with the listing follows
//! as usual: it reads the content once, and loads again what differs.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::{Ledger, LoadedObject, ObjectUpdate, Plan};
use sparkify_source::{Listing, Object};

/// Largest number of places from which data was moved that are reported.
const MAX_REPORTED: usize = 3;
/// Number of objects of a place whose content is compared.
const SAMPLES: usize = 3;

/// Change of a location: of a folder, or of a bucket with a prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relocation {
    /// Location of the loaded objects, without a slash at its end.
    pub old: String,
    /// Their location now.
    pub new: String,
}

impl fmt::Display for Relocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.old, self.new)
    }
}

impl Relocation {
    /// Returns the new key of an object; none if it was not at the old location.
    fn of(&self, key: &str) -> Option<String> {
        let rest = key.strip_prefix(&self.old)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{}{rest}", self.new))
    }
}

/// Result of a relocation.
#[derive(Debug, Default)]
pub struct Relocated {
    /// Entries with new keys.
    pub updates: Vec<ObjectUpdate>,
    /// Objects that were loaded from their new location too, with their numbers of staged rows.
    /// These are deleted.
    pub doubled: BTreeMap<i64, u64>,
}

/// Objects that were loaded from another location.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Moved {
    /// Location from which they were loaded.
    pub from: String,
    /// Location at which they are listed.
    pub to: String,
    /// Number of objects that have the same names and sizes at both.
    pub objects: u64,
}

impl Ledger {
    /// Gives loaded objects of the old location their new keys: those that are listed at their new
    /// key, and no longer at the old one.
    pub fn relocate(&mut self, relocation: &Relocation, listings: &[&Listing]) -> Relocated {
        let mut relocated = Relocated::default();
        let mut new_keys = HashMap::new();
        for loaded in self.objects.all() {
            let Some(key) = relocation.of(&loaded.key) else { continue };
            let is_listed = |key: &str| listings.iter().any(|listing| listing.find(key).is_some());
            if !is_listed(&key) || is_listed(&loaded.key) {
                continue;
            }
            if self.objects.get(&key).is_some() {
                relocated.doubled.insert(loaded.object_id, loaded.staged);
            } else {
                new_keys.insert(loaded.object_id, key.into_boxed_str());
            }
        }
        self.objects.change_each(|loaded| {
            let Some(key) = new_keys.remove(&loaded.object_id) else { return };
            (loaded.key, loaded.relocated, loaded.modified_ns) = (key, true, None);
            // A store may give a copy another etag. Without a fingerprint, only the etag can show
            // that the content is the same.
            if loaded.fingerprint.is_some() {
                loaded.version = None;
            }
            relocated.updates.push(ObjectUpdate {
                object_id: loaded.object_id,
                key: loaded.key.clone(),
                modified_ns: None,
                version: loaded.version.clone(),
            });
        });
        relocated
    }

    /// Finds new objects of `plan` that have the name, size and fingerprint of objects that were
    /// loaded from another location. The content of a few of them is compared.
    pub fn find_moved(&self, plan: &Plan, listing: &Listing, kind: &str) -> Vec<Moved> {
        let new = plan.read.iter().filter(|(id, _)| !plan.staged_rows.contains_key(id));
        let new: Vec<&Object> = new.map(|(_, object)| object).filter(|new| new.size > 0).collect();
        if new.is_empty() {
            return Vec::new();
        }
        let mut unlisted: HashMap<(&str, u64), Vec<&LoadedObject>> = HashMap::new();
        let mut listed = listing.in_order();
        for loaded in self.objects.of(kind) {
            if listed.get(&loaded.key).is_none() && loaded.fingerprint.is_some() {
                unlisted.entry((name(&loaded.key), loaded.size)).or_default().push(loaded);
            }
        }
        let mut places: BTreeMap<(&str, &str), Vec<(&Object, &LoadedObject)>> = BTreeMap::new();
        for object in new {
            let similar = unlisted.get(&(name(&object.key), object.size)).into_iter().flatten();
            let nearest = similar.max_by_key(|loaded| common_end(&loaded.key, &object.key).len());
            let Some(loaded) = nearest else { continue };
            let end = common_end(&loaded.key, &object.key).len();
            let from = &loaded.key[..loaded.key.len() - end];
            let to = &object.key[..object.key.len() - end];
            places.entry((from, to)).or_default().push((object, loaded));
        }
        let mut moved: Vec<Moved> = places
            .into_iter()
            .filter(|((from, to), pairs)| !from.is_empty() && !to.is_empty() && same(pairs))
            .map(|((from, to), pairs)| Moved {
                from: from.to_owned(),
                to: to.to_owned(),
                objects: pairs.len() as u64,
            })
            .collect();
        moved.sort_by_key(|moved| std::cmp::Reverse(moved.objects));
        moved.truncate(MAX_REPORTED);
        moved
    }
}

fn name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Returns the path components at the end that both keys have, with the slash before them.
fn common_end<'a>(one: &'a str, other: &str) -> &'a str {
    let mut length = 0;
    for (part, same) in one.rsplit('/').zip(other.rsplit('/')) {
        if part != same {
            break;
        }
        length += part.len() + 1;
    }
    one.get(one.len().saturating_sub(length)..).unwrap_or(one)
}

/// Compares the content of a few of these objects. An object that cannot be read is not moved: the
/// load that follows reports its error.
fn same(pairs: &[(&Object, &LoadedObject)]) -> bool {
    let step = pairs.len().div_ceil(SAMPLES);
    pairs.iter().step_by(step).all(|(object, loaded)| {
        object.fingerprint().is_ok_and(|found| Some(found) == loaded.fingerprint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relocation_changes_whole_path_components() {
        let relocation = Relocation { old: "/a/log".into(), new: "s3://b/log".into() };
        assert_eq!(relocation.of("/a/log/1/e.json").as_deref(), Some("s3://b/log/1/e.json"));
        assert_eq!(relocation.of("/a/log").as_deref(), Some("s3://b/log"));
        assert_eq!(relocation.of("/a/logs/e.json"), None);
        assert_eq!(relocation.to_string(), "/a/log=s3://b/log");
    }

    #[test]
    fn keys_have_a_common_end_of_whole_components() {
        assert_eq!(common_end("/a/x/e.json", "/b/x/e.json"), "/x/e.json");
        assert_eq!(common_end("/a/2e.json", "/a/e.json"), "");
        assert_eq!(common_end("s3://one/log/e.json", "s3://two/log/e.json"), "/log/e.json");
    }
}
