//! One load: its plan, its extraction and its work within the transaction.
//!
//! A warehouse that inserts rows from files gets them before the transaction begins
//! ([`Load::prepare`]), so that neither the transaction nor its lock waits for the source, and a retry
//! uses the same files. Under the lock, the digest of the ledger proves that the plan still holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::extract::{ExtractContext, object_entry};
use super::{
    EtlError, Listings, Request, Step, StepTimer, Summary, begin, count_rows, reject_limit,
    run_data_tests, transform,
};
use crate::erase;
use crate::ledger::{self, Ledger, LoadEntry, LoadOutcome, Moved, ObjectUpdate, Plan};
use crate::staging::{self, Extract};
use crate::{sql, tables};
use sparkify_reader::{Erasures, RecordKind};
use sparkify_source::{Listing, Object};
use sparkify_warehouse::{Value, Warehouse};

/// Input of a load.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    /// New and changed objects of the listings.
    Listings(&'a Listings),
    /// Objects with rejected records.
    Rejected,
}

/// Load that is attempted until it is published.
pub(super) struct Load<'a> {
    request: &'a Request,
    input: Input<'a>,
    prepared: Option<Prepared>,
    /// True if another load was published meanwhile. The objects are then extracted within the
    /// transaction, which no other load can overtake.
    was_overtaken: bool,
}

/// Plan of a load, and its objects in files.
struct Prepared {
    planned: Planned,
    /// Digest of the ledger that the plan follows from.
    digest: Vec<Value>,
    extracts: Vec<(RecordKind, Vec<Extract>)>,
    steps: Vec<Step>,
}

/// Plan of a load, and what it follows from.
struct Planned {
    work: LoadPlan,
    load_id: i64,
    /// True if a load was published before.
    loaded_before: bool,
    erasures: Option<Arc<Erasures>>,
}

/// Complete plan of a load.
#[derive(Default)]
pub(super) struct LoadPlan {
    pub(super) plans: Plans,
    /// True if only the affected part of the model is rebuilt.
    pub(super) incremental: bool,
    /// Objects whose rows are deleted: vanished ones, and doubled ones.
    pub(super) prune: Vec<i64>,
    /// Objects that were moved and loaded again, with their numbers of staged rows.
    pub(super) doubled: BTreeMap<i64, u64>,
    /// New keys and versions of objects whose content is unchanged, by object.
    pub(super) updates: BTreeMap<i64, ObjectUpdate>,
    /// New objects that were loaded from another location.
    pub(super) moved: Vec<Moved>,
    pub(super) summary: Summary,
}

impl LoadPlan {
    pub(super) fn to_read(&self) -> impl Iterator<Item = &(i64, Object)> {
        self.plans.iter().flat_map(|(_, plan)| &plan.read)
    }

    fn is_empty(&self) -> bool {
        self.to_read().next().is_none() && self.prune.is_empty()
    }

    /// Adds the counts of the plans to the summary.
    fn summarize(&mut self) {
        for (_, plan) in &self.plans {
            self.summary.add_plan(plan);
        }
    }
}

type Plans = Vec<(RecordKind, Plan)>;

impl<'a> Load<'a> {
    pub(super) fn new(request: &'a Request, input: Input<'a>) -> Self {
        Self { request, input, prepared: None, was_overtaken: false }
    }

    /// Plans the load and extracts its objects to files, before the transaction begins, if the
    /// warehouse inserts rows from files. A retry finds the files of the attempt before.
    pub(super) fn prepare(
        &mut self,
        warehouse: &mut dyn Warehouse,
        timer: &mut StepTimer,
        summary: &mut Summary,
    ) -> Result<(), EtlError> {
        if let Some(prepared) = &self.prepared {
            timer.steps.clone_from(&prepared.steps);
            return Ok(());
        }
        if self.was_overtaken || !staging::extracts_to_files(warehouse) {
            return Ok(());
        }
        let found = tables::Found::read(warehouse)?;
        if found.is_outdated() || found.missing().is_some() {
            // The transaction upgrades or creates the tables first.
            return Ok(());
        }
        // The lock waits for the end of a load that would change the ledger.
        begin(warehouse, &timer.meter)?;
        let mut ledger = Ledger::read(warehouse)?;
        let digest = Ledger::digest(warehouse)?;
        let erasures = erase::read(warehouse, self.request.erasure_key.as_ref())?;
        warehouse.run(&sql::load::ROLLBACK)?;
        let planned = self.plan(&mut ledger, erasures, timer)?;
        // A failed extraction reports what it was to read.
        summary.clone_from(&planned.work.summary);
        summary.incremental = planned.work.incremental;
        let context = self.context(&planned);
        let extracts = context.extract_to_files(warehouse, &planned.work, timer)?;
        let steps = timer.steps.clone();
        self.prepared = Some(Prepared { planned, digest, extracts, steps });
        Ok(())
    }

    /// Runs the load from the updates of the ledger to the data tests, within the open transaction.
    pub(super) fn run(
        &mut self,
        warehouse: &mut dyn Warehouse,
        timer: &mut StepTimer,
        summary: &mut Summary,
    ) -> Result<(), EtlError> {
        let upgraded = tables::ensure(warehouse)?;
        if let Some(prepared) = &self.prepared {
            if Ledger::digest(warehouse)? != prepared.digest {
                (self.prepared, self.was_overtaken) = (None, true);
                return Err(EtlError::Overtaken);
            }
            return self.load(warehouse, &prepared.planned, &prepared.extracts, timer, summary);
        }
        let mut ledger = Ledger::read(warehouse)?;
        let erasures = erase::read(warehouse, self.request.erasure_key.as_ref())?;
        let mut planned = self.plan(&mut ledger, erasures, timer)?;
        planned.work.summary.upgraded_from = upgraded.map(|upgrade| upgrade.from);
        self.load(warehouse, &planned, &[], timer, summary)
    }

    fn plan(
        &self,
        ledger: &mut Ledger,
        erasures: Option<Arc<Erasures>>,
        timer: &mut StepTimer,
    ) -> Result<Planned, EtlError> {
        let work = match self.input {
            Input::Listings(listings) => {
                let started = timer.started;
                timer.time("compare", || compare(ledger, self.request, listings, started))?
            }
            Input::Rejected => plan_reprocessing(ledger, self.request)?,
        };
        let (load_id, loaded_before) = (ledger.next_load(), !ledger.is_empty());
        Ok(Planned { work, load_id, loaded_before, erasures })
    }

    fn context<'b>(&'b self, planned: &'b Planned) -> ExtractContext<'b> {
        let listings = match self.input {
            Input::Listings(listings) => listings.as_slice(),
            Input::Rejected => &[],
        };
        let Planned { load_id, loaded_before, ref erasures, .. } = *planned;
        ExtractContext {
            request: self.request,
            listings,
            load_id,
            loaded_before,
            erasures: erasures.clone(),
        }
    }

    fn load(
        &self,
        warehouse: &mut dyn Warehouse,
        planned: &Planned,
        extracts: &[(RecordKind, Vec<Extract>)],
        timer: &mut StepTimer,
        summary: &mut Summary,
    ) -> Result<(), EtlError> {
        let Planned { work, load_id, .. } = planned;
        summary.clone_from(&work.summary);
        ledger::update_objects(warehouse, work.updates.values().cloned().collect())?;
        if work.is_empty() {
            return Ok(count_rows(warehouse, summary)?);
        }
        let (load_id, incremental) = (*load_id, work.incremental);
        summary.incremental = incremental;
        let (tally, bounds) = self.context(planned).stage(warehouse, work, extracts, timer)?;
        summary.add_tally(&tally, load_id, incremental);
        summary.leave(&tally.unstable, work);
        reject_limit::check(&tally, self.request.max_reject_share, summary)?;
        let (started, counts) = (timer.started, summary.ledger_counts());
        let entries = tally.objects.into_iter().map(object_entry).collect();
        ledger::record_objects(warehouse, load_id, started, entries)?;
        let scope = transform(warehouse, incremental.then_some(bounds), timer)?;
        run_data_tests(warehouse, scope.as_ref(), timer)?;
        if incremental {
            warehouse.run(&sql::load::DROP_SCOPE)?;
        }
        warehouse.run(&sql::load::FINISH)?;
        let outcome = LoadOutcome::Published(summary.left_message());
        let entry = LoadEntry { load_id, started, incremental, counts, outcome };
        ledger::record_load(warehouse, &entry)?;
        Ok(count_rows(warehouse, summary)?)
    }
}

/// Plans to read the objects with rejected records again.
fn plan_reprocessing(ledger: &Ledger, request: &Request) -> Result<LoadPlan, EtlError> {
    let mut work = LoadPlan { incremental: true, ..LoadPlan::default() };
    for kind in [RecordKind::Songs, RecordKind::Events] {
        let (mut plan, missing) = ledger.plan_reprocessing(kind.name(), &request.sources)?;
        ledger.add_group_members(&mut plan, &[], None, &request.sources)?;
        work.summary.objects_vanished.extend(missing);
        work.plans.push((kind, plan));
    }
    work.summarize();
    Ok(work)
}

/// Compares the listings with the ledger.
pub(super) fn compare(
    ledger: &mut Ledger,
    request: &Request,
    listings: &Listings,
    started: SystemTime,
) -> Result<LoadPlan, EtlError> {
    let incremental = !ledger.is_empty() && !request.full_refresh;
    let mut work = LoadPlan { incremental, ..LoadPlan::default() };
    relocate(ledger, request, listings, &mut work)?;
    for (kind, listing) in listings {
        let selection = request.selection(*kind);
        let mut plan = ledger.plan(listing, kind.name(), selection, started)?;
        plan.vanished.retain(|(id, _)| !work.doubled.contains_key(id));
        if request.prune {
            if listing.objects.is_empty() && !plan.vanished.is_empty() {
                return Err(EtlError::PruneAll { location: listing.root.clone() });
            }
            work.prune.extend(plan.vanished.iter().map(|(id, _)| *id));
            work.summary.objects_pruned += plan.vanished.len() as u64;
        }
        ledger.add_group_members(&mut plan, &work.prune, Some(listing), &request.sources)?;
        work.moved.extend(ledger.find_moved(&plan, listing, kind.name()));
        let updates = std::mem::take(&mut plan.updates).into_iter();
        work.updates.extend(updates.map(|update| (update.object_id, update)));
        work.summary.add_listing(listing);
        work.plans.push((*kind, plan));
    }
    work.prune.sort_unstable();
    work.prune.dedup();
    work.summary.add_moved(&work.moved);
    work.summarize();
    Ok(work)
}

/// Gives the entries of moved objects their new keys.
fn relocate(
    ledger: &mut Ledger,
    request: &Request,
    listings: &Listings,
    work: &mut LoadPlan,
) -> Result<(), EtlError> {
    let listings: Vec<&Listing> = listings.iter().map(|(_, listing)| listing).collect();
    for relocation in &request.relocations {
        let relocated = ledger.relocate(relocation, &listings);
        let objects = relocated.updates.len() + relocated.doubled.len();
        if objects == 0 {
            return Err(EtlError::NothingToRelocate { relocation: relocation.clone() });
        }
        work.summary.objects_relocated += objects as u64;
        work.prune.extend(relocated.doubled.keys());
        work.doubled.extend(relocated.doubled);
        let updates = relocated.updates.into_iter();
        work.updates.extend(updates.map(|update| (update.object_id, update)));
    }
    Ok(())
}
