//! Tests of the emulator through `tokio-postgres`, `psql` and boto3. Each test cites the page of
//! the behavior that it checks: DG is the Database Developer Guide, MG the Management Guide.

// Documentation pages are cited by their URL names, such as DG/r_COPY.html.
#![allow(clippy::doc_markdown)]

mod client;
mod compatibility;
mod copy;
mod data_api;
mod explain;
mod faults;
mod guide_examples;
mod semantics;
mod session;
mod tables;
mod transactions;
