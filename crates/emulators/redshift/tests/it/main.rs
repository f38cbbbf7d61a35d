//! The emulator from outside, by an ordinary driver, by `psql`, and by clients of the Data API: each manner with the page that has it.

// Pages of the documentation are named as their addresses have them.
#![allow(clippy::doc_markdown)]

mod client;
mod copy;
mod data_api;
mod faults;
mod manners;
mod session;
mod tables;
mod transactions;
