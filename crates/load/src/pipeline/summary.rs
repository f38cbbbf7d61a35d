//! Result of a load, for the summary on the terminal and for the JSON output.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ledger::Plan;
use sparkify_reader::{RecordKind, Sample, Tally};

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

/// Summary of a load.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Published, or unchanged.
    pub outcome: Outcome,
    /// Number of the load; none if nothing was loaded.
    pub load_id: Option<i64>,
    /// True if only the affected part of the model was rebuilt.
    pub incremental: bool,
    /// Objects that were read.
    pub objects_read: u64,
    /// Objects among those read that had been loaded with other content.
    pub objects_changed: u64,
    /// Objects among those read that are unchanged, but share a group with a changed one.
    pub objects_along: u64,
    /// Objects among those read that the warehouse copied itself.
    pub objects_fetched: u64,
    /// Objects among those read that sparkify parsed because the warehouse rejected records of
    /// them.
    pub objects_given_back: u64,
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
    /// Size of the objects read, in bytes, as stored (compressed).
    pub bytes_read: u64,
    /// Maximum number of bytes that the warehouse spilled to disk at a time.
    pub bytes_spilled: u64,
    /// Records read: staged and rejected ones.
    pub records: u64,
    /// Number of staged events.
    pub events_staged: u64,
    /// Number of staged song records.
    pub songs_staged: u64,
    /// Number of rejected records.
    pub rejected: u64,
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
    /// Row count of each table after the load.
    pub tables: Vec<(String, u64)>,
    /// Number of plays by match method after the load.
    pub matched: Vec<(String, u64)>,
    /// Limitations of this load, as messages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Transient error that ended each failed attempt.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried_again: Vec<String>,
    /// Duration of each step.
    pub steps: Vec<Step>,
}

impl Summary {
    /// Adds the counts of one plan.
    pub(super) fn add_plan(&mut self, plan: &Plan) {
        self.objects_read += plan.read.len() as u64;
        self.objects_changed += plan.changed.len() as u64;
        self.objects_along += plan.reread_with_group;
        self.objects_skipped += plan.unchanged;
        self.objects_outside += plan.outside;
        self.objects_vanished.extend(plan.vanished.iter().map(|(_, key)| key.clone()));
        self.bytes_read += plan.read.iter().map(|(_, object)| object.size).sum::<u64>();
    }

    /// Adds the counts of the staged records and returns the share of rejected ones.
    pub(super) fn add_tally(&mut self, tally: &Tally, load_id: i64, incremental: bool) -> f64 {
        self.outcome = Outcome::Published;
        self.load_id = Some(load_id);
        self.incremental = incremental;
        self.objects_fetched = tally.fetched();
        self.objects_given_back = tally.given_back;
        if self.objects_fetched > 0 {
            self.notes = COPY_NOTES.map(str::to_owned).to_vec();
        }
        self.events_staged = tally.staged(RecordKind::Events);
        self.songs_staged = tally.staged(RecordKind::Songs);
        self.rejected = tally.rejected();
        self.records = self.events_staged + self.songs_staged + self.rejected;
        self.rejects.clone_from(&tally.rejects);
        self.reject_samples.clone_from(&tally.samples);
        self.repairs.clone_from(&tally.repairs);
        self.extra_keys.clone_from(&tally.extra_keys);
        if self.records == 0 { 0.0 } else { self.rejected as f64 / self.records as f64 }
    }

    /// Returns the counts in the order of the columns of `etl_loads`.
    pub(super) fn ledger_counts(&self) -> [u64; 7] {
        [
            self.objects_read,
            self.objects_changed,
            self.bytes_read,
            self.events_staged,
            self.songs_staged,
            self.rejected,
            self.repairs.values().sum(),
        ]
    }

    /// Returns the row count of one table.
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows)
    }
}
