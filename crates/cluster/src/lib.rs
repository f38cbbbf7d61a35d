//! Control plane: creates, inspects and deletes a Redshift warehouse with an IAM role that reads
//! the bucket.
//!
//! Read [`up()`] first: it defines the order of the steps. Every step inspects AWS before it acts
//! (`inspect`), so that an interrupted run continues where it stopped; there is no state file.
//! Waits have a timeout and report the last state (`wait`). Every created resource gets sparkify's
//! tags (`tags`), and resources without them are never changed. [`down()`] deletes the resources,
//! [`leftovers`] lists billable resources that still exist, and [`reap()`] deletes everything past
//! its time to live.
//!
//! This crate only calls AWS APIs: it uses no SQL and no files. No crate of the load path depends
//! on it.

mod bucket;
mod cloud;
pub mod cost;
mod down;
mod error;
mod inspect;
mod network;
mod plan;
mod policy;
mod probe;
mod provisioned;
mod reap;
mod regions;
mod role;
mod serverless;
mod signed;
mod tags;
mod up;
mod wait;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use down::{Down, FinalSnapshot};
pub use error::ClusterError;
pub use inspect::{Leftover, Resource, Status};
pub use plan::{Plan, Step};
pub use probe::{ProbeReport, ProbeResult};
pub use reap::{Expired, Reaped};
use sparkify_config::ClusterSettings;
pub use up::Up;

/// Progress output and cancellation of an operation.
pub struct Watch {
    /// Reports a line about the progress.
    pub report: Box<dyn Fn(&str) + Send + Sync>,
    /// Set to true to cancel the operation.
    pub stop: Arc<AtomicBool>,
}

/// Returns the steps that `up` would take (dry run).
pub fn plan(settings: &ClusterSettings, watch: &Watch) -> Result<Plan, ClusterError> {
    run(async { plan::plan(&cloud::Cloud::connect(settings, None).await?, settings, watch).await })
}

/// Creates missing resources and waits until the warehouse is available.
pub fn up(settings: &ClusterSettings, watch: &Watch) -> Result<Up, ClusterError> {
    run(async { up::up(&cloud::Cloud::connect(settings, None).await?, settings, watch).await })
}

/// Returns the current state of the warehouse and its resources.
pub fn status(settings: &ClusterSettings, watch: &Watch) -> Result<Status, ClusterError> {
    run(async {
        let cloud = cloud::Cloud::connect(settings, None).await?;
        inspect::status(&cloud, settings, watch).await
    })
}

/// Deletes the resources that `up` created, in order.
pub fn down(
    settings: &ClusterSettings,
    snapshot: &FinalSnapshot,
    watch: &Watch,
) -> Result<Down, ClusterError> {
    run(async {
        let cloud = cloud::Cloud::connect(settings, None).await?;
        down::down(&cloud, settings, snapshot, watch).await
    })
}

/// Returns resources that still exist and may cost money or are no longer needed.
pub fn leftovers(
    settings: &ClusterSettings,
    kept: &FinalSnapshot,
    watch: &Watch,
) -> Result<Vec<Leftover>, ClusterError> {
    run(async {
        let cloud = cloud::Cloud::connect(settings, None).await?;
        inspect::leftovers(&cloud, settings, kept, watch).await
    })
}

/// Deletes sparkify's resources past their time to live. Only lists them unless `act` is true.
pub fn reap(settings: &ClusterSettings, act: bool, watch: &Watch) -> Result<Reaped, ClusterError> {
    run(async {
        reap::reap(&cloud::Cloud::connect(settings, None).await?, settings, act, watch).await
    })
}

/// Checks credentials, clock and the permissions of the role, for `doctor`.
pub fn probe(settings: &ClusterSettings, watch: &Watch) -> ProbeReport {
    // Identity and roles are the same in every region.
    let probed = run(async {
        let cloud = cloud::Cloud::connect(settings, Some("us-east-1")).await?;
        Ok(probe::probe(&cloud, settings, watch).await)
    });
    probed.unwrap_or_else(|error| ProbeReport::of_error(&error))
}

fn run<T>(work: impl Future<Output = Result<T, ClusterError>>) -> Result<T, ClusterError> {
    // Fails if a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("aws")
        .enable_all()
        .build()
        .map_err(|error| ClusterError::Unreachable {
            doing: "start a thread".into(),
            reason: error.to_string(),
        })?;
    let ended = runtime.block_on(work);
    runtime.shutdown_background();
    ended
}
