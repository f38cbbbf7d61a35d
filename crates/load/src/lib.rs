//! The load: compares a listing with the ledger, stages new and changed objects, rebuilds the
//! affected part of the star schema, runs the data tests and publishes everything in one
//! transaction.
//!
//! Start reading at [`pipeline`]: it orders the steps.

pub mod data_tests;
pub mod doctor;
pub mod erase;
pub mod layout;
pub mod ledger;
pub mod log_format;
pub mod model;
pub mod pipeline;
pub mod rejects;
mod scope;
pub mod sql;
pub mod staging;
pub mod tables;
pub mod trace;
pub mod transfer;
pub mod upgrade;
