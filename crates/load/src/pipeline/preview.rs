//! What a load would do, without doing it: the plan as people read it.

use serde::Serialize;

use super::{EtlError, Request, Work, compare, list};
use crate::ledger::Ledger;
use crate::tables;
use sparkify_reader::RecordKind;
use sparkify_warehouse::Warehouse;

/// What `etl` would do now.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Preview {
    /// Whether only the touched part of the model would be made anew.
    pub incremental: bool,
    /// Keys that would be loaded for the first time.
    pub new: Vec<String>,
    /// Keys that would be read again because their content changed.
    pub changed: Vec<String>,
    /// Keys that would be read again although their content is the same.
    pub reread: Vec<String>,
    /// Keys that were loaded and are no longer there.
    pub vanished: Vec<String>,
    /// Objects that are loaded as they are.
    pub unchanged: u64,
    /// Objects outside the dates that were asked for.
    pub outside: u64,
    /// Names that are ignored by rule.
    pub ignored: Vec<String>,
    /// Size of the objects that would be read.
    pub bytes: u64,
    /// Rows that would leave staging: those of objects read again, and of pruned ones.
    pub rows_retired: u64,
    /// Tables of which rows would change.
    pub tables: Vec<&'static str>,
    /// What could not be undone, in words; empty when rows are only added.
    pub destructive: Vec<String>,
}

const OF_EVENTS: &[&str] = &["staging_events", "users", "user_levels", "songplays", "time"];
const OF_SONGS: &[&str] = &["staging_songs", "songs", "artists", "songplays"];

/// Compares the source with the warehouse, if there is one already, and changes nothing.
pub fn preview(
    warehouse: Option<&mut (dyn Warehouse + 'static)>,
    request: &Request,
) -> Result<Preview, EtlError> {
    let listings = list(request)?;
    let mut ledger = Ledger::default();
    if let Some(warehouse) = warehouse
        && tables::are_there(warehouse)?
    {
        ledger = Ledger::read(warehouse)?;
    }
    let work = compare(&mut ledger, request, &listings)?;
    let mut preview = Preview {
        incremental: work.incremental,
        unchanged: work.summary.objects_skipped,
        outside: work.summary.objects_outside,
        ignored: work.summary.objects_ignored.clone(),
        bytes: work.summary.bytes_read,
        vanished: work.summary.objects_vanished.clone(),
        ..Preview::default()
    };
    for (kind, plan) in &work.plans {
        for (id, object) in &plan.read {
            let keys = if plan.changed.contains(id) {
                &mut preview.changed
            } else if plan.rows_held.contains_key(id) {
                &mut preview.reread
            } else {
                &mut preview.new
            };
            keys.push(object.key.to_string());
        }
        let retired = plan.read.iter().map(|(id, _)| id).chain(&work.prune);
        preview.rows_retired += retired.filter_map(|id| plan.rows_held.get(id)).sum::<u64>();
        let pruned = request.prune && !plan.vanished.is_empty();
        if !plan.read.is_empty() || pruned {
            let tables = if *kind == RecordKind::Events { OF_EVENTS } else { OF_SONGS };
            preview.tables.extend(tables);
        }
    }
    preview.tables.sort_unstable();
    preview.tables.dedup();
    preview.destructive = destructive(&preview, &work);
    Ok(preview)
}

fn destructive(preview: &Preview, work: &Work) -> Vec<String> {
    let mut steps = Vec::new();
    let again = preview.changed.len() + preview.reread.len();
    if again > 0 {
        steps.push(format!("the rows of {again} objects are replaced by what these hold now"));
    }
    if !work.prune.is_empty() {
        steps.push(format!("the rows of {} vanished objects are removed", work.prune.len()));
    }
    if !work.incremental && again > 0 {
        steps.push("every table of the model is made anew".into());
    }
    steps
}
