//! Dry run: computes the plan of a load and changes nothing.

use std::time::SystemTime;

use serde::Serialize;

use super::{EtlError, LoadPlan, Request, compare, list_locations};
use crate::layout::CURRENT;
use crate::ledger::{Ledger, Moved};
use crate::tables;
use sparkify_reader::RecordKind;
use sparkify_warehouse::Warehouse;

/// Effects that `etl` would have.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Preview {
    /// True if only the affected part of the model would be rebuilt.
    pub incremental: bool,
    /// Keys of objects that would be loaded for the first time.
    pub new: Vec<String>,
    /// Keys of objects that would be read again because their content changed.
    pub changed: Vec<String>,
    /// Keys of unchanged objects that would be read again.
    pub reread: Vec<String>,
    /// Keys of loaded objects that no longer exist.
    pub vanished: Vec<String>,
    /// Number of unchanged objects.
    pub unchanged: u64,
    /// Number of objects outside the requested dates.
    pub outside: u64,
    /// Skipped file names (`.…`, `_…`).
    pub ignored: Vec<String>,
    /// Total size of the objects that would be read, in bytes.
    pub bytes: u64,
    /// Number of rows that would be deleted from staging, of objects that are read again or pruned.
    pub rows_retired: u64,
    /// Names of the tables whose rows would change.
    pub tables: Vec<&'static str>,
    /// New objects that were loaded from another location.
    pub moved: Vec<Moved>,
    /// Number of loaded objects whose location `--relocate` would change.
    pub relocated: u64,
    /// Messages about links that are not followed, and about moved objects.
    pub notes: Vec<String>,
    /// Messages about rows that would be replaced or deleted; empty if rows are only added.
    pub destructive: Vec<String>,
}

const EVENT_TABLES: &[&str] = &["staging_events", "users", "user_levels", "songplays", "time"];
const SONG_TABLES: &[&str] = &["staging_songs", "songs", "artists", "songplays"];

/// Plans a load of a warehouse, which is none if it does not exist yet.
pub fn preview(
    warehouse: Option<&mut (dyn Warehouse + 'static)>,
    request: &Request,
) -> Result<Preview, EtlError> {
    let listings = list_locations(request)?;
    let (mut ledger, mut upgrade) = (Ledger::default(), None);
    if let Some(warehouse) = warehouse {
        let found = tables::Found::read(warehouse)?;
        if found.missing().is_none() {
            ledger = Ledger::read(warehouse)?;
        }
        upgrade = found.layout.filter(|_| found.is_outdated());
    }
    let work = compare(&mut ledger, request, &listings, SystemTime::now())?;
    let mut preview = Preview {
        incremental: work.incremental,
        unchanged: work.summary.objects_skipped,
        outside: work.summary.objects_outside,
        ignored: work.summary.objects_ignored.clone(),
        bytes: work.summary.bytes_read,
        vanished: work.summary.objects_vanished.clone(),
        moved: work.moved.clone(),
        relocated: work.summary.objects_relocated,
        notes: work.summary.notes.clone(),
        ..Preview::default()
    };
    preview.notes.extend(upgrade.map(|from| {
        let to = CURRENT.layout;
        format!(
            "the warehouse would be upgraded from layout {from} to {to} (`sparkify upgrade --plan`)"
        )
    }));
    for (kind, plan) in &work.plans {
        for (id, object) in &plan.read {
            let keys = if plan.changed.contains(id) {
                &mut preview.changed
            } else if plan.staged_rows.contains_key(id) {
                &mut preview.reread
            } else {
                &mut preview.new
            };
            keys.push(object.key.to_string());
        }
        let pruned = work.prune.iter().filter(|id| !work.doubled.contains_key(id));
        let replaced = plan.read.iter().map(|(id, _)| id).chain(pruned);
        preview.rows_retired += replaced.filter_map(|id| plan.staged_rows.get(id)).sum::<u64>();
        let pruned = request.prune && !plan.vanished.is_empty();
        if !plan.read.is_empty() || pruned {
            let tables = if *kind == RecordKind::Events { EVENT_TABLES } else { SONG_TABLES };
            preview.tables.extend(tables);
        }
    }
    preview.rows_retired += work.doubled.values().sum::<u64>();
    preview.tables.sort_unstable();
    preview.tables.dedup();
    preview.destructive = destructive(&preview, &work);
    Ok(preview)
}

fn destructive(preview: &Preview, work: &LoadPlan) -> Vec<String> {
    let mut steps = Vec::new();
    let again = preview.changed.len() + preview.reread.len();
    if again > 0 {
        steps.push(format!("the rows of {again} objects are replaced by their current content"));
    }
    let vanished = work.summary.objects_pruned;
    if vanished > 0 {
        steps.push(format!("the rows of {vanished} vanished objects are deleted"));
    }
    if !work.doubled.is_empty() {
        let doubled = work.doubled.len();
        steps.push(format!("the rows of {doubled} objects that were loaded twice are deleted"));
    }
    if !work.incremental && again > 0 {
        steps.push("every table of the model is rebuilt".into());
    }
    steps
}
