//! Results for analysts: saved queries, the report page, exports, the data dictionary, reconciliation with expected numbers, and the diff of
//! two warehouses.

pub mod dictionary;
pub mod diff;
pub mod export;
#[cfg(feature = "page")]
pub mod page;
pub mod report;
pub mod sql;
pub mod verify;
