//! Saved queries, report page and server, export, data dictionary, reconciliation with expected
//! numbers, and diff of two warehouses.

pub mod dictionary;
pub mod diff;
pub mod export;
#[cfg(feature = "page")]
pub mod page;
pub mod report;
pub mod sql;
pub mod verify;
