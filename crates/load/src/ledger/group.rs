//! Objects whose rows nobody can tell apart: a warehouse that fetches many objects at once does not say which row came from which.
//!
//! Such objects are a group, and their rows stand under the number of one of them. Where one is replaced or pruned, all rows of its group go, so
//! every other object of the group is read again with it. One of these that is gone would take its rows with it unasked: that is an error.

use std::collections::{BTreeMap, BTreeSet};

use super::{Known, Ledger, Plan};
use sparkify_source::{Listing, Object, SourceError, Sources};

impl Ledger {
    /// Adds to `plan` the other objects of each group that the plan or the `pruned` objects touch; as they are `listed`, else as they lie there now.
    ///
    /// # Errors
    /// When one of them is gone, or cannot be asked for.
    pub fn complete(
        &self,
        plan: &mut Plan,
        pruned: &[i64],
        listed: Option<&Listing>,
        sources: &Sources,
    ) -> Result<(), SourceError> {
        if self.objects.all().iter().all(|known| known.group.is_none()) {
            return Ok(());
        }
        let taken: BTreeSet<i64> =
            plan.read.iter().map(|(id, _)| *id).chain(pruned.iter().copied()).collect();
        let groups = self.groups(&taken);
        if groups.is_empty() {
            return Ok(());
        }
        let mut listed = listed.map(Listing::in_order);
        for known in self.objects.all() {
            let Some(because) = known.group.and_then(|group| groups.get(&group)) else { continue };
            if taken.contains(&known.object_id) {
                continue;
            }
            let object = match listed.as_mut().and_then(|listed| listed.get(&known.key)) {
                Some(object) => {
                    plan.unchanged = plan.unchanged.saturating_sub(1);
                    object.clone()
                }
                None => found(sources, &known.key, because)?,
            };
            plan.along += 1;
            plan.rows_held.insert(known.object_id, known.staged);
            plan.read.push((known.object_id, object));
        }
        plan.read.sort_by_key(|(id, _)| *id);
        Ok(())
    }

    /// The groups of these objects, each with the key of one of them.
    fn groups(&self, taken: &BTreeSet<i64>) -> BTreeMap<i64, &str> {
        let touched = |known: &Known| known.group.filter(|_| taken.contains(&known.object_id));
        self.objects.all().iter().filter_map(|known| Some((touched(known)?, &*known.key))).collect()
    }
}

fn found(sources: &Sources, key: &str, because: &str) -> Result<Object, SourceError> {
    sources.find(key).map_err(|error| match error {
        SourceError::Missing { .. } | SourceError::Gone { .. } => {
            SourceError::Parted { path: key.to_owned(), other: because.to_owned() }
        }
        other => other,
    })
}
