//! Failures of the services around a cluster, as failures of the warehouse.

use sparkify_aws::AwsError;
use sparkify_config::ConfigError;
use sparkify_warehouse::WarehouseError;

/// A failed AWS request.
pub(super) fn aws_failed(error: &AwsError) -> WarehouseError {
    WarehouseError::Service { message: error.to_string(), hint: error.hint.clone() }
}

/// Unusable settings of an AWS service.
pub(super) fn config_failed(error: &ConfigError) -> WarehouseError {
    WarehouseError::Service { message: error.to_string(), hint: error.hint() }
}
