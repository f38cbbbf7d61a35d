//! What does it cost? An estimate from a small table of prices that has a date, and says what it is: an estimate.
//!
//! Storage, snapshots, data transfer and taxes are not in it. A serverless warehouse is paid while it works; the estimate by hour is that of an hour of work.

use serde::Serialize;
use time::OffsetDateTime;

use super::survey::Size;

const PRICES: &str = include_str!("prices.csv");
/// When the table was written down, where its prices hold, and how sure they are.
const DATED: &str = "2026-11-24";
const REGION: &str = "us-east-1";

/// An estimate in US dollars.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Estimate {
    /// For an hour; none where the table has no price.
    pub dollars_per_hour: Option<f64>,
    /// For thirty days of it without a pause.
    pub dollars_per_month: Option<f64>,
    /// Since it was created; none where nothing is there, or where it is paid by use.
    pub dollars_so_far: Option<f64>,
    /// How long it has been there, in hours.
    pub hours: Option<f64>,
    /// When the prices were written down.
    pub prices_of: &'static str,
    /// The region whose prices they are.
    pub prices_in: &'static str,
    /// Whether anybody held them against Amazon's page.
    pub verified: bool,
    /// What to know about the figure.
    pub note: String,
}

/// The price of one unit for an hour.
fn price(of: &str) -> Option<f64> {
    let rows = PRICES.lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut pairs = rows.filter_map(|line| line.split_once(','));
    pairs.find(|(name, _)| *name == of).and_then(|(_, price)| price.parse().ok())
}

/// What a size costs, and has cost since `created`.
pub(super) fn estimate(size: &Size, region: &str, created: Option<OffsetDateTime>) -> Estimate {
    let (unit, count, by_use) = match size {
        Size::Nodes { node_type, nodes } => (node_type.as_str(), *nodes, false),
        Size::Capacity { units } => ("rpu", *units, true),
    };
    let by_hour = price(unit).map(|price| price * f64::from(count));
    let hours = created.map(|then| (OffsetDateTime::now_utc() - then).as_seconds_f64() / 3600.0);
    let hours = hours.map(|hours| hours.max(0.0));
    let elsewhere = if region == REGION { "" } else { ", other regions differ" };
    let use_note = if by_use { "; paid while it works, by the second" } else { "" };
    let unknown = if by_hour.is_none() { "no price is written down for it; " } else { "" };
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
            "{unknown}prices of {REGION} as of {DATED}, not checked{elsewhere}: see https://aws.amazon.com/redshift/pricing/; storage and snapshots come on top{use_note}"
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
    fn every_size_that_can_be_asked_for_has_a_row() {
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
