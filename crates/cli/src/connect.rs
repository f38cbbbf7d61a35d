//! Engine dispatch: opens the warehouse that the settings name. The only module
//! that names every engine.

use std::sync::Arc;

use sparkify_config::{Settings, WarehouseUrl};
use sparkify_warehouse::{Access, ConnectionStep, Connector, SqlFile, Warehouse, WarehouseError};

/// Least memory of a connection in a process of its own, in bytes.
const MIN_MEMORY: u64 = 32 << 20;

/// Connector to the warehouse of one set of settings.
#[derive(Debug, Clone)]
pub struct Engines(Arc<Settings>);

impl Engines {
    /// Returns a connector to the warehouse of `settings`.
    pub fn new(settings: &Settings) -> Self {
        Self(Arc::new(settings.clone()))
    }
}

impl Connector for Engines {
    fn open(&self, access: Access) -> Result<Box<dyn Warehouse>, WarehouseError> {
        open(&self.0, access)
    }

    fn open_isolated(&self, parts: u64) -> Result<Box<dyn Warehouse>, WarehouseError> {
        open_isolated(&self.0, parts)
    }

    fn try_steps(&self) -> Vec<ConnectionStep> {
        match &self.0.warehouse {
            #[cfg(feature = "postgres")]
            WarehouseUrl::Postgres(server) => {
                use sparkify_postgres::wire;
                let server = Arc::new(server.as_ref().clone());
                let sign_in = || wire::Wire::connect(&server).map(drop);
                wire::try_steps(&server, wire::unreachable, sign_in)
            }
            #[cfg(feature = "redshift")]
            WarehouseUrl::Redshift(server) if server.data_api.is_none() => {
                let server = Arc::new(server.as_ref().clone());
                let sign_in = || sparkify_redshift::sign_in(&server);
                sparkify_postgres::wire::try_steps(&server, sparkify_redshift::unreachable, sign_in)
            }
            _ => Vec::new(),
        }
    }
}

/// Connects to the warehouse of `settings`.
pub fn open(settings: &Settings, access: Access) -> Result<Box<dyn Warehouse>, WarehouseError> {
    match &settings.warehouse {
        WarehouseUrl::DuckDb(path) => {
            let limits =
                sparkify_duckdb::Limits { memory: settings.memory, threads: settings.threads };
            Ok(Box::new(sparkify_duckdb::DuckDb::open(path, access, limits)?))
        }
        #[cfg(feature = "postgres")]
        WarehouseUrl::Postgres(server) => {
            let limits =
                sparkify_postgres::Limits { memory: settings.memory, threads: settings.threads };
            Ok(Box::new(sparkify_postgres::Postgres::open(server, access, limits)?))
        }
        #[cfg(feature = "redshift")]
        WarehouseUrl::Redshift(server) => {
            let server = Arc::new(server.as_ref().clone());
            Ok(Box::new(sparkify_redshift::Redshift::open(&server, settings, access)?))
        }
        other => Err(unsupported(other)),
    }
}

/// Connects with guarded access to the warehouse of `settings`, so that an interrupt ends every
/// statement at once. `DuckDB` runs in a process of its own, with a `parts`th of the memory.
pub fn open_isolated(
    settings: &Settings,
    parts: u64,
) -> Result<Box<dyn Warehouse>, WarehouseError> {
    let WarehouseUrl::DuckDb(path) = &settings.warehouse else {
        return open(settings, Access::Guarded);
    };
    let memory = (settings.memory / parts.max(1)).max(MIN_MEMORY);
    let limits = sparkify_duckdb::Limits { memory, threads: settings.threads };
    Ok(Box::new(sparkify_duckdb::isolated::Isolated::open(path, limits)?))
}

/// Returns the name of the engine of `url`, as the conditional comments of `sql/` use it.
pub fn engine_of(url: &WarehouseUrl) -> Result<&'static str, WarehouseError> {
    match url {
        WarehouseUrl::DuckDb(_) => Ok(sparkify_duckdb::ENGINE),
        #[cfg(feature = "postgres")]
        WarehouseUrl::Postgres(_) => Ok(sparkify_postgres::ENGINE),
        #[cfg(feature = "redshift")]
        WarehouseUrl::Redshift(_) => Ok(sparkify_redshift::ENGINE),
        other => Err(unsupported(other)),
    }
}

/// Returns the dialect files of the engine of `url`.
pub fn dialect_of(url: &WarehouseUrl) -> Result<Vec<&'static SqlFile>, WarehouseError> {
    match url {
        WarehouseUrl::DuckDb(_) => Ok(sparkify_duckdb::dialect::ALL.iter().collect()),
        #[cfg(feature = "postgres")]
        WarehouseUrl::Postgres(_) => Ok(sparkify_postgres::dialect::ALL.iter().collect()),
        #[cfg(feature = "redshift")]
        WarehouseUrl::Redshift(_) => Ok(sparkify_redshift::dialect::ALL.iter().collect()),
        other => Err(unsupported(other)),
    }
}

fn unsupported(url: &WarehouseUrl) -> WarehouseError {
    WarehouseError::Unserved { scheme: url.scheme().to_owned() }
}
