//! The program as a user meets it, on real engines. One binary, a file a subject.

#[cfg(feature = "page")]
mod browser;
mod checks;
#[cfg(feature = "cluster")]
mod cluster;
mod command_line;
mod conformance;
#[path = "../data/mod.rs"]
mod data;
mod data_sets;
mod docs;
mod export;
mod faults;
mod first_load;
mod forms;
mod history_and_diff;
mod large;
mod law;
mod links;
mod oracle;
#[cfg(feature = "page")]
mod page;
#[cfg(feature = "postgres")]
mod postgres_connection;
#[cfg(feature = "postgres")]
mod postgres_faults;
#[cfg(feature = "postgres")]
mod postgres_roles;
mod questions;
mod read_only;
mod reckoning;
#[cfg(feature = "redshift")]
mod redshift;
mod redshift_lint;
mod reject_limit;
mod rejects_and_trace;
mod relocation;
mod rewrites;
#[cfg(feature = "s3")]
mod s3;
mod sample;
mod selection;
#[cfg(feature = "page")]
mod serve;
#[cfg(all(feature = "page", feature = "postgres"))]
mod serve_on_servers;
#[cfg(feature = "postgres")]
mod servers;
mod shell;
mod story;
mod support;
mod tidy;
mod verify;
#[cfg(feature = "redshift")]
mod way;
