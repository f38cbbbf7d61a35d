//! From song and event files to a star schema in a warehouse.
//!
//! Bytes come from `source`, become rows in `stage`, tables in `model`; they are checked by `quality` and told by `report`. All of it happens
//! on a `warehouse`, in SQL that stands in `sql/`. `ledger` knows what was loaded, `rejects` what could not be used, `trace` where a fact came from;
//! `pipeline` is the order, `cli` is the handle.
//!
//! Read `pipeline` first: it is the table of contents. `ARCHITECTURE.md` says who may know what, and a test holds it.

#[cfg(feature = "s3")]
pub mod aws;
pub mod cli;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod config;
pub mod dictionary;
pub mod diff;
pub mod doctor;
pub mod export;
pub mod generate;
pub mod ledger;
pub mod model;
#[cfg(feature = "page")]
pub mod page;
pub mod pipeline;
pub mod quality;
pub mod rejects;
pub mod report;
pub mod source;
pub mod stage;
pub mod tables;
pub mod trace;
pub mod verify;
pub mod warehouse;
