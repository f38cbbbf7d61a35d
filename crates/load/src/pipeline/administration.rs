//! Changes of the tables without a load: `create-tables`, `upgrade`, `transfer` and `erase`. Each is
//! one transaction under the load lock.

use super::{acquire_lock, lock_table, locks_a_table};
use crate::upgrade::Upgrade;
use crate::{sql, tables};
use sparkify_reader::Meter;
use sparkify_warehouse::{Warehouse, WarehouseError};

/// Drops every table of sparkify and creates it empty, in one transaction. An engine that locks a
/// table runs many statements faster outside of it, so it describes the tables afterwards.
pub fn recreate(warehouse: &mut dyn Warehouse, meter: &Meter) -> Result<(), WarehouseError> {
    acquire_lock(warehouse, meter)?;
    let describes_later = locks_a_table(warehouse);
    in_transaction(warehouse, |warehouse| {
        tables::recreate(warehouse)?;
        if describes_later { Ok(()) } else { tables::describe_all(warehouse) }
    })?;
    if describes_later { tables::describe_all(warehouse) } else { Ok(()) }
}

/// Upgrades the tables of an older layout in one transaction. Returns the upgrade; none if the
/// layout is current.
pub fn upgrade(
    warehouse: &mut dyn Warehouse,
    meter: &Meter,
) -> Result<Option<Upgrade>, WarehouseError> {
    acquire_lock(warehouse, meter)?;
    if locks_a_table(warehouse) {
        tables::ensure_lockable(warehouse)?;
    }
    in_transaction(warehouse, |warehouse| {
        lock_table(warehouse, meter)?;
        let found = tables::Found::read(warehouse)?;
        let upgrade = Upgrade::plan(warehouse, &found)?;
        upgrade.iter().try_for_each(|upgrade| upgrade.run(warehouse))?;
        Ok(upgrade)
    })
}

/// Runs `work` on the tables of the current layout, in one transaction under the load lock. Missing
/// tables are created, and those of an older layout upgraded.
pub(crate) fn change<T, E: From<WarehouseError>>(
    warehouse: &mut dyn Warehouse,
    meter: &Meter,
    work: impl FnOnce(&mut dyn Warehouse) -> Result<T, E>,
) -> Result<T, E> {
    acquire_lock(warehouse, meter)?;
    if locks_a_table(warehouse) {
        tables::ensure_lockable(warehouse)?;
    }
    meter.set_interrupter(warehouse.interrupter());
    in_transaction(warehouse, |warehouse| {
        lock_table(warehouse, meter)?;
        tables::ensure(warehouse)?;
        let worked = work(warehouse);
        // From here on a cancellation would leave the outcome unknown.
        meter.set_interrupter(None);
        worked
    })
}

/// Commits `work`, or rolls it back after an error. An error of the rollback is only logged.
fn in_transaction<T, E: From<WarehouseError>>(
    warehouse: &mut dyn Warehouse,
    work: impl FnOnce(&mut dyn Warehouse) -> Result<T, E>,
) -> Result<T, E> {
    warehouse.run(&sql::load::BEGIN)?;
    let committed = work(warehouse).and_then(|worked| {
        warehouse.run(&sql::load::COMMIT)?;
        Ok(worked)
    });
    if committed.is_err()
        && let Err(second) = warehouse.run(&sql::load::ROLLBACK)
    {
        tracing::debug!("rollback failed: {second}");
    }
    committed
}
