//! Groups of objects that the warehouse copied together, without reporting which row came from
//! which object.
//!
//! The rows of a group are stored under the number of its first object. Replacing or pruning one
//! object deletes the rows of the whole group, so every other object of the group must be read
//! again. If one of them no longer exists, its rows would be lost without a request to remove them,
//! so that is an error.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ledger, LoadedObject, Plan};
use sparkify_source::{Listing, Object, SourceError, Sources};

impl Ledger {
    /// Adds to `plan` the remaining objects of each group that has an object in the plan or in
    /// `pruned`. Takes an object from the listing if it is `listed`, otherwise looks it up in its
    /// source.
    ///
    /// # Errors
    /// Returns [`SourceError::Parted`] if one of them no longer exists, or the error of the
    /// look-up.
    pub fn add_group_members(
        &self,
        plan: &mut Plan,
        pruned: &[i64],
        listed: Option<&Listing>,
        sources: &Sources,
    ) -> Result<(), SourceError> {
        if self.objects.all().iter().all(|loaded| loaded.group.is_none()) {
            return Ok(());
        }
        let planned: BTreeSet<i64> =
            plan.read.iter().map(|(id, _)| *id).chain(pruned.iter().copied()).collect();
        let groups = self.groups(&planned);
        if groups.is_empty() {
            return Ok(());
        }
        let mut listed = listed.map(Listing::in_order);
        for loaded in self.objects.all() {
            let Some(member) = loaded.group.and_then(|group| groups.get(&group)) else { continue };
            if planned.contains(&loaded.object_id) {
                continue;
            }
            let object = match listed.as_mut().and_then(|listed| listed.get(&loaded.key)) {
                Some(object) => {
                    plan.unchanged = plan.unchanged.saturating_sub(1);
                    object.clone()
                }
                None => find_member(sources, &loaded.key, member)?,
            };
            plan.reread_with_group += 1;
            plan.staged_rows.insert(loaded.object_id, loaded.staged);
            plan.read.push((loaded.object_id, object));
        }
        plan.read.sort_by_key(|(id, _)| *id);
        Ok(())
    }

    /// Returns the groups of the planned objects, each with the key of one planned object, for the
    /// error message.
    fn groups(&self, planned: &BTreeSet<i64>) -> BTreeMap<i64, &str> {
        let group_of =
            |loaded: &LoadedObject| loaded.group.filter(|_| planned.contains(&loaded.object_id));
        let objects = self.objects.all().iter();
        objects.filter_map(|loaded| Some((group_of(loaded)?, &*loaded.key))).collect()
    }
}

/// Looks up the object at `key`, which has to be read again because `member` of its group is.
fn find_member(sources: &Sources, key: &str, member: &str) -> Result<Object, SourceError> {
    sources.find(key).map_err(|error| match error {
        SourceError::Missing { .. } | SourceError::Gone { .. } => {
            SourceError::Parted { path: key.to_owned(), other: member.to_owned() }
        }
        other => other,
    })
}
