//! End-to-end tests of the program on real engines: one test binary, one module per subject.

mod archives;
mod backfill_and_plan;
mod bounded_scans;
#[cfg(feature = "page")]
mod browser;
#[cfg(feature = "cluster")]
mod cluster;
mod command_line;
mod comments;
mod conformance;
#[cfg(feature = "redshift")]
mod connection_steps;
#[path = "../data/mod.rs"]
mod data;
mod data_sets;
mod data_tests;
mod docs;
mod duckdb_versions;
mod end_to_end;
mod erase;
mod export;
mod faults;
mod first_load;
mod formats;
mod forms;
#[cfg(all(feature = "cluster", feature = "page", feature = "redshift"))]
mod guide;
mod history_and_diff;
mod independent_results;
mod large_objects;
mod links;
mod log_formats;
mod old_warehouse;
mod oracle;
mod order_independence;
#[cfg(feature = "page")]
mod page;
#[cfg(feature = "page")]
mod page_charts;
#[cfg(feature = "postgres")]
mod plans;
#[cfg(feature = "postgres")]
mod postgres_connection;
#[cfg(feature = "postgres")]
mod postgres_faults;
#[cfg(feature = "postgres")]
mod postgres_roles;
mod read_only;
#[cfg(feature = "redshift")]
mod redshift;
mod redshift_lint;
mod reject_limit;
mod rejects_and_trace;
mod relocation;
mod repository_checks;
mod rewrites;
#[cfg(feature = "s3")]
mod s3;
mod sample_data;
mod saved_queries;
#[cfg(feature = "page")]
mod serve;
#[cfg(all(feature = "page", feature = "postgres"))]
mod serve_on_servers;
#[cfg(feature = "page")]
mod serve_page;
#[cfg(feature = "postgres")]
mod servers;
mod set_up_and_logs;
mod shell;
mod support;
mod terminal;
mod transfer;
mod upgrades;
mod verify;
