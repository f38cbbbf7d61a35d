//! Is there a Redshift at all? From nothing to a warehouse with a role that reads the bucket, and back to nothing.
//!
//! Read `up` first: it is the order. Every step looks before it acts (`survey`), so that an interrupted run goes on where it was; every wait is a wait of
//! ours with a time limit and the last state (`patience`); everything made carries our tags (`tags`), and nothing else is ever touched. `down` is the way back,
//! `leftovers` proves that nothing is left to pay for, `reap` does it for whatever has outlived its time.
//!
//! This room speaks to AWS and to nobody else: no table, no SQL, no file. The rooms on the path do not know it.

mod cloud;
pub mod cost;
mod down;
mod error;
mod network;
mod patience;
mod plan;
mod policy;
mod probe;
mod provisioned;
mod reap;
mod role;
mod serverless;
mod signed;
mod survey;
mod tags;
mod up;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use down::{Down, FinalSnapshot};
pub use error::ClusterError;
pub use plan::{Plan, Step};
pub use probe::{Probe, Probed};
pub use reap::{Expired, Reaped};
use sparkify_config::ClusterSettings;
pub use survey::{Leftover, Standing, Status};
pub use up::Up;

/// Who is told about the work, and who may stop it.
pub struct Watch {
    /// Takes a line about the work.
    pub say: Box<dyn Fn(&str) + Send + Sync>,
    /// Set by whoever wants it to stop.
    pub stop: Arc<AtomicBool>,
}

/// What `up` would do.
pub fn plan(settings: &ClusterSettings, watch: &Watch) -> Result<Plan, ClusterError> {
    run(async { plan::plan(&cloud::Cloud::connect(settings, None).await?, settings, watch).await })
}

/// Makes what is missing, and waits until it can be used.
pub fn up(settings: &ClusterSettings, watch: &Watch) -> Result<Up, ClusterError> {
    run(async { up::up(&cloud::Cloud::connect(settings, None).await?, settings, watch).await })
}

/// What is there by now.
pub fn status(settings: &ClusterSettings, watch: &Watch) -> Result<Status, ClusterError> {
    run(async {
        let cloud = cloud::Cloud::connect(settings, None).await?;
        survey::status(&cloud, settings, watch).await
    })
}

/// Deletes what `up` made, in order.
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

/// What is still there that somebody may have to pay for, or that nobody needs.
pub fn leftovers(
    settings: &ClusterSettings,
    kept: &FinalSnapshot,
    watch: &Watch,
) -> Result<Vec<Leftover>, ClusterError> {
    run(async {
        let cloud = cloud::Cloud::connect(settings, None).await?;
        survey::leftovers(&cloud, settings, kept, watch).await
    })
}

/// Deletes whatever of ours has outlived its time; only looks unless `act`.
pub fn reap(settings: &ClusterSettings, act: bool, watch: &Watch) -> Result<Reaped, ClusterError> {
    run(async {
        reap::reap(&cloud::Cloud::connect(settings, None).await?, settings, act, watch).await
    })
}

/// Who asks, whether the clock is right, and what the role may do: for `doctor`.
pub fn probe(settings: &ClusterSettings, watch: &Watch) -> Probe {
    // Identity and roles are the same in every region.
    let probed = run(async {
        let cloud = cloud::Cloud::connect(settings, Some("us-east-1")).await?;
        Ok(probe::probe(&cloud, settings, watch).await)
    });
    probed.unwrap_or_else(|error| Probe::broken(&error))
}

fn run<T>(work: impl Future<Output = Result<T, ClusterError>>) -> Result<T, ClusterError> {
    // A second call finds it installed, which is as good.
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
