//! What a load did, as data: the terminal's table and the JSON document tell the same.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ledger::Plan;
use sparkify_reader::{RecordKind, Sample, Tally};

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something was loaded and published.
    Published,
    /// Everything was loaded already: nothing was changed.
    #[default]
    Unchanged,
}

/// What a warehouse does not say of objects that it fetches itself.
const FETCHED: [&str; 3] = [
    "rows of copied objects lead back to the objects of this load, not to one of them and its bytes",
    "if one of these objects changes or is pruned, all of them are copied again",
    "keys that no column takes were not counted in them",
];

/// The time that one step took.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Time of the processor that this program took meanwhile, all threads together, in seconds; a server's own is not in it.
    pub cpu_seconds: f64,
}

/// Everything that people are told after a load.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Whether anything was published.
    pub outcome: Outcome,
    /// The load's number; none when nothing was loaded.
    pub load_id: Option<i64>,
    /// Whether only the touched part of the model was made anew.
    pub incremental: bool,
    /// Objects that were read.
    pub objects_read: u64,
    /// Of these, objects that were loaded before with other content.
    pub objects_changed: u64,
    /// Of these, objects that were loaded as they are, and share a group with one that was not.
    pub objects_along: u64,
    /// Of these, objects that the warehouse fetched itself.
    pub objects_fetched: u64,
    /// Of these, objects that were read here after the warehouse had refused records of them.
    pub objects_given_back: u64,
    /// Objects that were loaded already as they are.
    pub objects_skipped: u64,
    /// Objects outside the dates that were asked for.
    pub objects_outside: u64,
    /// Names that are ignored by rule.
    pub objects_ignored: Vec<String>,
    /// Objects that were loaded once and are no longer there; their rows are kept unless they were pruned.
    pub objects_vanished: Vec<String>,
    /// How many of these were pruned: their rows are gone.
    pub objects_pruned: u64,
    /// Size of the objects read, as they lie in the source.
    pub bytes_read: u64,
    /// The most bytes that the warehouse laid aside on disk at a time, its memory being full.
    pub bytes_spilled: u64,
    /// Records met: staged and rejected.
    pub records: u64,
    /// Events staged.
    pub events_staged: u64,
    /// Song records staged.
    pub songs_staged: u64,
    /// Records refused.
    pub rejected: u64,
    /// The same by reason.
    pub rejects: BTreeMap<String, u64>,
    /// The first few of them.
    pub reject_samples: Vec<Sample>,
    /// Texts that had been encoded twice, by key.
    pub repairs: BTreeMap<String, u64>,
    /// Keys that no column takes, and in how many records they stood.
    pub extra_keys: BTreeMap<String, u64>,
    /// Plays in staging that are the same as another one.
    pub duplicates: u64,
    /// Rows of each table now.
    pub tables: Vec<(String, u64)>,
    /// Plays by the way in which they found their song, now.
    pub matched: Vec<(String, u64)>,
    /// What cannot be known of this load, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why the load was tried again, as often as it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried_again: Vec<String>,
    /// The time that each step took.
    pub steps: Vec<Step>,
}

impl Summary {
    /// Enters what one plan says.
    pub(super) fn plan(&mut self, plan: &Plan) {
        self.objects_read += plan.read.len() as u64;
        self.objects_changed += plan.changed.len() as u64;
        self.objects_along += plan.along;
        self.objects_skipped += plan.unchanged;
        self.objects_outside += plan.outside;
        self.objects_vanished.extend(plan.vanished.iter().map(|(_, key)| key.clone()));
        self.bytes_read += plan.read.iter().map(|(_, object)| object.size).sum::<u64>();
    }

    /// Takes over what was read, and gives the share of rejects among its records.
    pub(super) fn take(&mut self, tally: &Tally, load_id: i64, incremental: bool) -> f64 {
        self.outcome = Outcome::Published;
        self.load_id = Some(load_id);
        self.incremental = incremental;
        self.objects_fetched = tally.fetched();
        self.objects_given_back = tally.given_back;
        if self.objects_fetched > 0 {
            self.notes = FETCHED.map(str::to_owned).to_vec();
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

    /// In the order of `etl_loads`.
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

    /// Rows of one table.
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows)
    }
}
