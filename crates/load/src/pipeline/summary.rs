//! Result of a load, for the summary on the terminal and for the JSON output.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::failure_log::shortened;
use super::{DamagedObject, LoadPlan};
use crate::ledger::{Moved, Plan};
use sparkify_reader::{NOT_A_PLAY, RecordKind, Sample, Tally, UnstableObject};
use sparkify_source::Listing;

/// Outcome of a successful run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// At least one object was loaded or pruned, and the result published.
    Published,
    /// All objects were loaded before; nothing changed.
    #[default]
    Unchanged,
}

/// Limitations of objects that the warehouse copied itself.
const COPY_NOTES: [&str; 3] = [
    "lineage of copied rows ends at the group of objects that were copied together, without a byte offset",
    "if one of these objects changes or is pruned, the whole group is copied again",
    "unknown keys in copied objects were not counted",
];

/// Duration of one step.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Name of the step, as the progress display shows it.
    pub name: String,
    /// Wall-clock time in seconds.
    pub seconds: f64,
    /// CPU time of all threads of this process in seconds, without that of a server.
    pub cpu_seconds: f64,
}

/// Most objects that the message of a load in `etl_loads` names.
const MAX_NAMED: usize = 5;

/// Object that could not be read completely, since it changed or was removed meanwhile. It is left
/// for the next run, and its rows are those of its last load.
#[derive(Debug, Clone, Serialize)]
pub struct LeftObject {
    /// Key of the object.
    pub object: String,
    /// Message of the error.
    pub reason: String,
}

/// Summary of a load.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Published, or unchanged.
    pub outcome: Outcome,
    /// Number of the load; none if nothing was loaded.
    pub load_id: Option<i64>,
    /// True if only the affected part of the model was rebuilt.
    pub incremental: bool,
    /// Layout of the warehouse before this run upgraded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgraded_from: Option<i64>,
    /// Objects that were read.
    pub objects_read: u64,
    /// Objects among those read that had been loaded with other content.
    pub objects_changed: u64,
    /// Objects among those read that are unchanged, but share a group with a changed one.
    pub objects_recopied: u64,
    /// Objects among those read that the warehouse copied itself.
    pub objects_copied: u64,
    /// Objects among those read that sparkify parsed because the warehouse rejected records of
    /// them.
    pub objects_parsed_after_copy: u64,
    /// Unchanged objects, which were not read.
    pub objects_skipped: u64,
    /// Objects outside the requested dates.
    pub objects_outside: u64,
    /// Skipped file names (`.…`, `_…`).
    pub objects_ignored: Vec<String>,
    /// Loaded objects that no longer exist. Their rows are kept unless they were pruned.
    pub objects_vanished: Vec<String>,
    /// Number of vanished objects whose rows were deleted.
    pub objects_pruned: u64,
    /// Number of loaded objects whose location was changed by `--relocate`.
    #[serde(skip_serializing_if = "is_zero")]
    pub objects_relocated: u64,
    /// Objects that are left for the next run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects_left: Vec<LeftObject>,
    /// Number of objects that staged no record, or lost more than the permitted share of their
    /// bytes.
    pub objects_damaged: u64,
    /// The first of them, by lost bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<DamagedObject>,
    /// Size of the objects read, in bytes, as stored (compressed).
    pub bytes_read: u64,
    /// Maximum number of bytes that the warehouse spilled to disk at a time.
    pub bytes_spilled: u64,
    /// Records read: staged, rejected and erased ones.
    pub records: u64,
    /// Number of staged events.
    pub events_staged: u64,
    /// Number of staged song records.
    pub songs_staged: u64,
    /// Number of rejected records.
    pub rejected: u64,
    /// Total length of the rejected records, in bytes.
    pub rejected_bytes: u64,
    /// Number of records that are no plays by a rule of the log format, by the page or the name that
    /// it gives them. Pages are staged.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_plays: BTreeMap<String, u64>,
    /// Number of those among them that are not staged, for example since they have no time. They are
    /// kept with the rejected records.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// Valid records of erased persons, which were left out.
    pub erased: u64,
    /// Number of rejected records by reason.
    pub rejects: BTreeMap<String, u64>,
    /// First rejected records.
    pub reject_samples: Vec<Sample>,
    /// Number of repaired texts (encoded twice) by key.
    pub repairs: BTreeMap<String, u64>,
    /// Number of records by unknown key, which fills no column.
    pub extra_keys: BTreeMap<String, u64>,
    /// Number of duplicate plays in staging.
    pub duplicates: u64,
    /// Row count of each table after the load. JSON: an object.
    #[serde(serialize_with = "as_object")]
    pub tables: Vec<(String, u64)>,
    /// Number of plays by match method after the load. JSON: an object.
    #[serde(serialize_with = "as_object")]
    pub matched: Vec<(String, u64)>,
    /// Limitations of this load, as messages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Transient error that ended each failed attempt.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retries: Vec<String>,
    /// Duration of each step.
    pub steps: Vec<Step>,
    /// Start of the load in UTC, as RFC 3339 defines it.
    pub started_at: String,
    /// Duration of the load in seconds.
    pub seconds: f64,
}

fn as_object<S: Serializer>(pairs: &[(String, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, count)| (name, count)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Summary {
    /// Adds the counts of one plan.
    pub(super) fn add_plan(&mut self, plan: &Plan) {
        self.objects_read += plan.read.len() as u64;
        self.objects_changed += plan.changed.len() as u64;
        self.objects_recopied += plan.reread_with_group;
        self.objects_skipped += plan.unchanged;
        self.objects_outside += plan.outside;
        self.objects_vanished.extend(plan.vanished.iter().map(|(_, key)| key.clone()));
        self.bytes_read += plan.read.iter().map(|(_, object)| object.size).sum::<u64>();
    }

    /// Adds what a listing left out.
    pub(super) fn add_listing(&mut self, listing: &Listing) {
        self.objects_ignored.extend(listing.ignored.iter().cloned());
        self.objects_ignored.extend(listing.links_out.iter().cloned());
        if let Some(first) = listing.links_out.first() {
            self.notes.push(format!(
                "symbolic links that lead out of `{}` are not followed: {}, the first is `{first}`; `--follow-links` follows them",
                listing.root,
                listing.links_out.len()
            ));
        }
    }

    /// Notes objects that were loaded from another location.
    pub(super) fn add_moved(&mut self, moved: &[Moved]) {
        self.notes.extend(moved.iter().map(|Moved { from, to, objects }| {
            format!(
                "new objects in `{to}` have the content of objects that were loaded from `{from}`: {objects}; if they were moved, `--relocate {from}={to}` keeps their rows and prevents duplicates in staging"
            )
        }));
    }

    /// Moves objects that were not read to their end from the counts of `work` to the objects that
    /// are left.
    pub(super) fn leave(&mut self, unstable: &[UnstableObject], work: &LoadPlan) {
        for UnstableObject { object_id, object, reason } in unstable {
            let changed = work.plans.iter().any(|(_, plan)| plan.changed.contains(object_id));
            self.objects_read = self.objects_read.saturating_sub(1);
            self.objects_changed = self.objects_changed.saturating_sub(u64::from(changed));
            self.bytes_read = self.bytes_read.saturating_sub(object.size);
            let (object, reason) = (object.key.to_string(), reason.clone());
            self.objects_left.push(LeftObject { object, reason });
        }
    }

    /// Returns the message about objects that are left, for `etl_loads`.
    pub(super) fn left_message(&self) -> Option<String> {
        let reasons: Vec<&str> =
            self.objects_left.iter().take(MAX_NAMED).map(|left| left.reason.as_str()).collect();
        let more = if self.objects_left.len() > MAX_NAMED { ", …" } else { "" };
        let left = self.objects_left.len();
        (left > 0).then(|| {
            shortened(format!("left for the next run: {left}: {}{more}", reasons.join(", ")))
        })
    }

    /// Adds the counts of the staged records.
    pub(super) fn add_tally(&mut self, tally: &Tally, load_id: i64, incremental: bool) {
        self.outcome = Outcome::Published;
        self.load_id = Some(load_id);
        self.incremental = incremental;
        self.objects_copied = tally.fetched();
        self.objects_parsed_after_copy = tally.given_back;
        if self.objects_copied > 0 {
            self.notes.extend(COPY_NOTES.map(str::to_owned));
        }
        self.events_staged = tally.staged(RecordKind::Events);
        self.songs_staged = tally.staged(RecordKind::Songs);
        let left_out = tally.left_out();
        self.left_out = left_out.values().sum();
        self.not_plays = tally.pages.clone().into_iter().chain(left_out).collect();
        self.rejected = tally.rejected() - self.left_out;
        self.erased = tally.erased();
        let staged = self.events_staged + self.songs_staged;
        self.records = staged + self.rejected + self.left_out + self.erased;
        self.rejects.clone_from(&tally.rejects);
        self.rejects.retain(|reason, _| !reason.starts_with(NOT_A_PLAY));
        self.reject_samples.clone_from(&tally.samples);
        self.repairs.clone_from(&tally.repairs);
        self.extra_keys.clone_from(&tally.extra_keys);
    }

    /// Returns the counts in the order of the columns of `etl_loads`.
    pub(super) fn ledger_counts(&self) -> [u64; 7] {
        [
            self.objects_read,
            self.objects_changed,
            self.bytes_read,
            self.events_staged,
            self.songs_staged,
            self.rejected + self.left_out,
            self.repairs.values().sum(),
        ]
    }

    /// Returns the row count of one table.
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows)
    }
}
