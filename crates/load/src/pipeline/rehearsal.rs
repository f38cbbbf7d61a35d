//! Rehearsal of an incremental load: the statements from the affected keys to the counts, as if the
//! objects of the last load had changed.
//!
//! The warehouse decides which statements run; `doctor` explains them.

use std::sync::Arc;

use super::{EtlError, StepTimer, Summary, count_rows, run_data_tests, transform};
use crate::ledger::{self, Ledger};
use crate::scope::TouchedLoads;
use crate::sql;
use sparkify_warehouse::Warehouse;

/// Sends the statements of an incremental load that read `objects`, within the open transaction.
pub(crate) fn rehearse(warehouse: &mut dyn Warehouse, objects: Vec<i64>) -> Result<(), EtlError> {
    let load_id = Ledger::read(warehouse)?.next_load();
    warehouse.query_file(&sql::erase::HASHES, &[], usize::MAX)?;
    warehouse.run(&sql::load::PREPARE)?;
    ledger::set_scope_objects(warehouse, load_id, objects)?;
    let loads = TouchedLoads::read(warehouse, Some(load_id))?;
    loads.record_keys(warehouse)?;
    loads.delete_replaced(warehouse)?;
    let mut timer = StepTimer::start(&Arc::default());
    let scope = transform(warehouse, Some(loads.into_bounds()), &mut timer)?;
    run_data_tests(warehouse, scope.as_ref(), &mut timer)?;
    warehouse.run(&sql::load::DROP_SCOPE)?;
    warehouse.run(&sql::load::FINISH)?;
    Ok(count_rows(warehouse, &mut Summary::default())?)
}
