//! Cost estimate from a small, dated price table.
//!
//! It excludes storage, snapshots, data transfer and taxes. A serverless workgroup is billed while
//! it runs queries; its hourly estimate is for one hour of work.

use serde::Serialize;
use time::OffsetDateTime;

use super::inspect::Size;

const PRICES: &str = include_str!("prices.csv");
/// Date of the price table, and the region of its prices.
const DATED: &str = "2026-11-24";
const REGION: &str = "us-east-1";

/// An estimate in US dollars.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Estimate {
    /// Price per hour; none if the table has no price for the size.
    pub dollars_per_hour: Option<f64>,
    /// Price for 30 days of continuous use.
    pub dollars_per_month: Option<f64>,
    /// Cost since the creation; none if the warehouse does not exist or is billed by use.
    pub dollars_so_far: Option<f64>,
    /// Hours since the creation.
    pub hours: Option<f64>,
    /// Date of the prices.
    pub prices_of: &'static str,
    /// Region of the prices.
    pub prices_in: &'static str,
    /// True if the prices were verified against Amazon's price list.
    pub verified: bool,
    /// Limitations of the estimate.
    pub note: String,
}

/// Returns the price of one node or RPU per hour.
fn price(of: &str) -> Option<f64> {
    let rows = PRICES.lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut pairs = rows.filter_map(|line| line.split_once(','));
    pairs.find(|(name, _)| *name == of).and_then(|(_, price)| price.parse().ok())
}

/// Estimates the cost of a size, in total since `created` if it is given.
pub(super) fn estimate(size: &Size, region: &str, created: Option<OffsetDateTime>) -> Estimate {
    let (unit, count, by_use) = match size {
        Size::Nodes { node_type, nodes } => (node_type.as_str(), *nodes, false),
        Size::Capacity { units } => ("rpu", *units, true),
    };
    let by_hour = price(unit).map(|price| price * f64::from(count));
    let hours = created.map(|then| (OffsetDateTime::now_utc() - then).as_seconds_f64() / 3600.0);
    let hours = hours.map(|hours| hours.max(0.0));
    let elsewhere = if region == REGION { "" } else { ", other regions differ" };
    let use_note = if by_use { "; billed by the second while queries run" } else { "" };
    let unknown =
        if by_hour.is_none() { "the price table has no price for this size; " } else { "" };
    Estimate {
        dollars_per_hour: by_hour.map(cents),
        dollars_per_month: by_hour.map(|dollars| cents(dollars * 720.0)),
        dollars_so_far: by_hour
            .zip(hours)
            .filter(|_| !by_use)
            .map(|(by_hour, h)| cents(by_hour * h)),
        hours: hours.map(|hours| (hours * 100.0).round() / 100.0),
        prices_of: DATED,
        prices_in: REGION,
        verified: false,
        note: format!(
            "{unknown}prices of {REGION} as of {DATED}, not checked against AWS{elsewhere}: see https://aws.amazon.com/redshift/pricing/; storage and snapshots cost extra{use_note}"
        ),
    }
}

fn cents(dollars: f64) -> f64 {
    (dollars * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkify_config::NODE_TYPES;

    #[test]
    fn every_supported_node_type_has_a_row() {
        for (node, _) in NODE_TYPES {
            assert!(PRICES.lines().any(|line| line.starts_with(&format!("{node},"))), "{node}");
        }
        assert!(PRICES.contains(DATED) && PRICES.contains(REGION));
    }

    #[test]
    fn an_estimate_counts_nodes_and_hours() {
        let nodes = Size::Nodes { node_type: "ra3.large".into(), nodes: 2 };
        let then = OffsetDateTime::now_utc() - time::Duration::hours(3);
        let found = estimate(&nodes, "us-west-2", Some(then));
        assert_eq!(found.dollars_per_hour, Some(1.086));
        assert_eq!(found.dollars_so_far, Some(3.258));
        assert!(found.note.contains("other regions differ"));
        let unknown = Size::Nodes { node_type: "rg.large".into(), nodes: 1 };
        assert_eq!(estimate(&unknown, REGION, None).dollars_per_hour, None);
    }
}
