//! Extraction: stages the objects of a load, then deletes the rows that they had before.
//!
//! The old rows are deleted last. So an object that could not be read to its end keeps them: its
//! new rows are deleted instead (`staging`), and the next run reads it again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::load::LoadPlan;
use super::{EtlError, Request, StepTimer, analyze};
use crate::ledger::{self, ObjectEntry, Plan};
use crate::scope::TouchedLoads;
use crate::sql;
use crate::staging::{self, Extract, StageError};
use sparkify_reader::{Erasures, Meter, ObjectRows, ReadError, RecordKind, Tally};
use sparkify_source::{Listing, Object};
use sparkify_warehouse::{Bounds, Warehouse};

/// Parameters that the extraction of all kinds of record shares.
pub(super) struct ExtractContext<'a> {
    pub request: &'a Request,
    pub listings: &'a [(RecordKind, Listing)],
    pub load_id: i64,
    pub loaded_before: bool,
    pub erasures: Option<Arc<Erasures>>,
}

impl<'a> ExtractContext<'a> {
    fn request(&self, kind: RecordKind, plan: &Plan) -> staging::StageRequest<'a> {
        let listing = self.listings.iter().find(|(of, _)| *of == kind);
        staging::StageRequest {
            kind,
            load_id: self.load_id,
            objects: plan.read.clone(),
            listing: listing.map(|(_, listing)| listing),
            log_format: &self.request.log_format,
            copy_paths: self.request.log_format.format.and_then(|format| format.json_paths()),
            sources: &self.request.sources,
            erasures: self.erasures.clone(),
            is_new_location: self.request.max_reject_share < 1.0 && is_new_location(plan),
        }
    }

    /// Names the location if all its first records are of the other kind, or of another format.
    fn error(&self, kind: RecordKind, error: StageError) -> EtlError {
        let location = match kind {
            RecordKind::Songs => &self.request.song_data,
            RecordKind::Events => &self.request.log_data,
        };
        let location = location.clone().unwrap_or_default();
        match error {
            StageError::Read(ReadError::OtherKind { object }) => {
                EtlError::Swapped { kind, location, object }
            }
            StageError::Read(ReadError::OtherFormat { object, format }) => {
                EtlError::OtherFormat { location, object, format }
            }
            other => other.into(),
        }
    }
}

/// Returns true if no object of the location was loaded before.
fn is_new_location(plan: &Plan) -> bool {
    let is_known = |(id, _): &(i64, Object)| plan.staged_rows.contains_key(id);
    plan.unchanged == 0 && !plan.read.iter().any(is_known)
}

impl ExtractContext<'_> {
    /// Extracts the objects of each kind to files, for [`stage`](Self::stage).
    pub(super) fn extract_to_files(
        &self,
        warehouse: &mut dyn Warehouse,
        work: &LoadPlan,
        timer: &mut StepTimer,
    ) -> Result<Vec<(RecordKind, Vec<Extract>)>, EtlError> {
        let meter = Arc::clone(&timer.meter);
        set_totals(&meter, work);
        let extract = |(kind, plan): &(RecordKind, Plan)| {
            let extracts = timer.time(&format!("extract {}", kind.name()), || {
                staging::extract(warehouse, self.request(*kind, plan), &meter)
                    .map_err(|error| self.error(*kind, error))
            })?;
            Ok((*kind, extracts))
        };
        work.plans.iter().map(extract).collect()
    }

    /// Stages the objects, or their extracts, then deletes the staged rows of their earlier versions.
    /// Returns the bounds of the rows of both.
    pub(super) fn stage(
        &self,
        warehouse: &mut dyn Warehouse,
        work: &LoadPlan,
        extracts: &[(RecordKind, Vec<Extract>)],
        timer: &mut StepTimer,
    ) -> Result<(Tally, Bounds), EtlError> {
        warehouse.run(&sql::load::PREPARE)?;
        let meter = Arc::clone(&timer.meter);
        if extracts.is_empty() {
            set_totals(&meter, work);
        }
        let mut tally = Tally::default();
        for (kind, plan) in &work.plans {
            let extracts = extracts.iter().find(|(of, _)| of == kind).map(|(_, extracts)| extracts);
            let staged = timer.time(&format!("stage {}", kind.name()), || {
                let staged = match extracts {
                    Some(extracts) => self.insert(warehouse, extracts),
                    None => staging::stage(warehouse, self.request(*kind, plan), &meter),
                };
                let staged = staged.map_err(|error| self.error(*kind, error))?;
                analyze(warehouse)?;
                Ok::<_, EtlError>(staged)
            })?;
            tally.merge(staged);
        }
        let mut bounds = Bounds::default();
        if self.loaded_before {
            let read = tally.objects.iter().map(|rows| rows.object_id);
            let objects = read.chain(work.prune.iter().copied()).collect();
            bounds = timer.time("delete replaced rows", || {
                ledger::set_scope_objects(warehouse, self.load_id, objects)?;
                let loads = TouchedLoads::read(warehouse, Some(self.load_id))?;
                if work.incremental {
                    loads.record_keys(warehouse)?;
                }
                loads.delete_replaced(warehouse)?;
                Ok::<_, EtlError>(loads.into_bounds())
            })?;
        }
        Ok((tally, bounds))
    }

    fn insert(
        &self,
        warehouse: &mut dyn Warehouse,
        extracts: &[Extract],
    ) -> Result<Tally, StageError> {
        let mut tally = Tally::default();
        for extract in extracts {
            tally.merge(staging::insert(warehouse, self.load_id, extract)?);
        }
        Ok(tally)
    }
}

fn set_totals(meter: &Meter, work: &LoadPlan) {
    meter.objects_total.store(work.to_read().count() as u64, Ordering::Relaxed);
    meter.bytes_total.store(work.to_read().map(|(_, object)| object.size).sum(), Ordering::Relaxed);
}

/// Returns the entry of an object in the ledger.
pub(super) fn object_entry(rows: ObjectRows) -> ObjectEntry {
    ObjectEntry {
        object_id: rows.object_id,
        object: rows.object,
        source: rows.kind.name(),
        fingerprint: rows.fingerprint,
        staged: rows.staged,
        rejected: rows.rejected,
        group: rows.group,
        erased: rows.erased,
    }
}
