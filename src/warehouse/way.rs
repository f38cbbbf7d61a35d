//! The way to a warehouse that is a server, step by step: how far one gets, and at which step no further.

use super::WarehouseError;
use crate::config::Settings;
#[cfg(feature = "postgres")]
use crate::config::WarehouseUrl;

/// One step.
#[derive(Debug)]
pub struct Step {
    /// What is tried: `dns`, `tcp`, `tls`, `login`.
    pub what: &'static str,
    /// What was found, or why it goes no further; nothing when a step before went no further.
    pub outcome: Option<Result<String, WarehouseError>>,
}

/// Every step of the way, in order; none where there is no way: to a file, or through somebody who is asked instead.
#[cfg(feature = "postgres")]
pub fn way_to(settings: &Settings) -> Vec<Step> {
    match &settings.warehouse {
        WarehouseUrl::Postgres(server) => {
            let server = std::sync::Arc::new(server.as_ref().clone());
            super::wire::walk(&server, || super::wire::Wire::connect(&server).map(drop))
        }
        #[cfg(feature = "redshift")]
        WarehouseUrl::Redshift(server) if server.data_api.is_none() => {
            let server = std::sync::Arc::new(server.as_ref().clone());
            super::wire::walk(&server, || super::redshift::sign_in(&server))
        }
        _ => Vec::new(),
    }
}

/// Without servers there is no way.
#[cfg(not(feature = "postgres"))]
pub fn way_to(_: &Settings) -> Vec<Step> {
    Vec::new()
}
