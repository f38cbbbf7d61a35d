//! Scope of an incremental load: the keys that it affects, in temporary tables, and the bounds within
//! which their rows are, as literals.

use crate::sql;
use sparkify_warehouse::{Bounds, Opening, Ranges, SqlFile, Value, Warehouse, WarehouseError};

/// Scope of an incremental load.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// Literal ranges that the statements carry.
    pub bounds: Bounds,
    /// True if the load adds or deletes song records.
    pub has_songs: bool,
}

impl Scope {
    /// Copies the affected plays for the data tests.
    pub(crate) fn collect_facts(
        &self,
        warehouse: &mut dyn Warehouse,
    ) -> Result<(), WarehouseError> {
        run(warehouse, &sql::load::SCOPE_FACTS, &self.bounds)
    }

    /// Returns true if the load changes no row of this table of the model: songs and artists come
    /// from song records only.
    pub(crate) fn is_without(&self, table: &SqlFile) -> bool {
        let comes_from_songs = [sql::model::SONGS.name, sql::model::ARTISTS.name];
        !self.has_songs && comes_from_songs.contains(&table.name)
    }
}

/// Loads whose rows the objects in `scope_objects` have.
#[derive(Debug)]
pub(crate) struct TouchedLoads {
    bounds: Bounds,
    is_append: bool,
}

impl TouchedLoads {
    /// Reads the loads that staged earlier versions of the objects; their new version is staged by
    /// `load_id`.
    pub(crate) fn read(
        warehouse: &mut dyn Warehouse,
        load_id: Option<i64>,
    ) -> Result<Self, WarehouseError> {
        let earlier = numbers(warehouse, &sql::load::TOUCHED_LOADS)?;
        let is_append = earlier.is_empty();
        let mut bounds = Bounds::default();
        bounds.set("touched_loads", Ranges::covering(earlier.into_iter().chain(load_id)));
        Ok(Self { bounds, is_append })
    }

    /// Records the keys of the rows of the objects.
    pub(crate) fn record_keys(&self, warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
        run(warehouse, &sql::load::AFFECTED_KEYS, &self.bounds)
    }

    /// Deletes the rows of earlier versions. Without an entry in the ledger an object has no rows.
    pub(crate) fn delete_replaced(
        &self,
        warehouse: &mut dyn Warehouse,
    ) -> Result<(), WarehouseError> {
        if self.is_append {
            return Ok(());
        }
        run(warehouse, &sql::load::DELETE_REPLACED, &self.bounds)
    }

    /// Returns the ranges, to which [`find`] adds others.
    pub(crate) fn into_bounds(self) -> Bounds {
        self.bounds
    }
}

/// Computes the affected keys from the recorded ones, and the bounds of their rows.
pub(crate) fn find(
    warehouse: &mut dyn Warehouse,
    mut bounds: Bounds,
) -> Result<Scope, WarehouseError> {
    warehouse.run(&sql::load::SCOPE)?;
    let users = warehouse.query_file(&sql::load::TOUCHED_USERS, &[], 1)?.rows.concat();
    let number = |at: usize| users.get(at).and_then(Value::as_i64);
    let from = |moment: Option<i64>| moment.map_or(Ranges::none(), Ranges::from);
    bounds.set("since_touched", from(number(0)));
    let is_any = number(2) != Some(0);
    bounds.set("latest_events", if is_any { Ranges::all() } else { from(number(1)) });
    let has_songs = number(3) != Some(0);
    if has_songs {
        warehouse.run(&sql::load::MATCHED_PLAYS)?;
    }
    let days = numbers(warehouse, &sql::load::TOUCHED_DAYS)?;
    bounds.set("touched_plays", Ranges::covering_days(days));
    Ok(Scope { bounds, has_songs })
}

/// Returns the first column of a query.
fn numbers(warehouse: &mut dyn Warehouse, file: &SqlFile) -> Result<Vec<i64>, WarehouseError> {
    let rows = warehouse.query_file(file, &[], usize::MAX)?.rows;
    Ok(rows.iter().filter_map(|row| row.first().and_then(Value::as_i64)).collect())
}

fn run(
    warehouse: &mut dyn Warehouse,
    file: &SqlFile,
    bounds: &Bounds,
) -> Result<(), WarehouseError> {
    let statements = file.statements(Opening::full(warehouse.engine()));
    warehouse.execute_all(&bounds.fill_all(&statements))
}
