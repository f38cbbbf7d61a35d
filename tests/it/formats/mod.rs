//! Log formats, on generated exports.
//!
//! The rows of a load equal those of an oracle, which is written from the meaning of each export
//! and shares no code with the reader: `expected` gives a generated record its staged row, `fields`
//! and `times` give values their types, and `crate::oracle` derives the tables of the model.
//! `generate` makes exports, `json` writes them.

mod expected;
mod fields;
mod generate;
mod json;
mod orders;
mod random;
mod rules;
mod source;
mod times;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sparkify_warehouse::Access;

use crate::oracle::COLUMNS;
use crate::support::{assert_same_model, model, open, rows, run};
use expected::{Expected, STAGING, expected};
use generate::{Export, write_exports};
use random::Random;
use source::{SOURCES, Source};

/// Number of cases, which `SPARKIFY_CASES` overrides.
fn cases(usual: u64) -> u64 {
    let configured = std::env::var("SPARKIFY_CASES").ok();
    configured.and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// Loads the folder `logs` below `here` into `warehouse.duckdb`, and returns the JSON summary.
fn load(here: &Path, logs: &str, warehouse: &str, source: Source) -> Value {
    let format = source.format();
    let arguments = ["etl", "--output", "json", "--log-data", logs, "--log-format", format];
    let options = ["--max-reject-share", "100%", "--warehouse", warehouse];
    run(here, arguments.into_iter().chain(options)).json()
}

/// Loads an export, and compares the result with the oracle.
fn compare(export: &Export, context: &str) -> Expected {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_exports(&export.files, &here.join("logs"));
    let expected = expected([export]);
    let summary = load(here, "logs", "duckdb:w.duckdb", export.source);
    let url = format!("duckdb:{}", here.join("w.duckdb").display());
    let mut warehouse = open(&url, Access::Read).unwrap();
    let warehouse = warehouse.as_mut();
    let staged = rows(warehouse, "staging_events", &STAGING);
    if staged != expected.staging {
        let table = |rows| BTreeMap::from([("staging_events", rows)]);
        assert_same_model(&table(staged), &table(expected.staging.clone()), context);
    }
    compare_counts(&summary, &expected, context);
    let found = model(warehouse);
    if found != expected.tables {
        assert_same_model(&found, &expected.tables, context);
    }
    let mut reasons = BTreeMap::new();
    for reject in rows(warehouse, "etl_rejects", &["reason"]) {
        let name = reject[0].strip_prefix("not a play: ");
        *reasons.entry(name.unwrap_or_default().to_owned()).or_default() += 1;
    }
    // Of more rejects of one object, some are kept.
    if reasons.values().sum::<u64>() < 1_000 {
        assert_eq!(reasons.remove("").unwrap_or(0), expected.rejected, "{context}");
        assert_eq!(reasons, expected.left_out, "{context}");
    }
    expected
}

fn compare_counts(summary: &Value, expected: &Expected, context: &str) {
    let count = |key: &str| summary[key].as_u64().unwrap_or(0);
    let left_out: u64 = expected.left_out.values().sum();
    let staged = expected.staging.len() as u64;
    let found = ["events_staged", "rejected", "left_out", "duplicates"].map(count);
    let (rejects, samples) = (&expected.rejects, &summary["reject_samples"]);
    let rejects = &rejects[..rejects.len().min(20)];
    let context = format!("{context}, expected rejects {rejects:#?}, found {samples:#}");
    assert_eq!(found, [staged, expected.rejected, left_out, expected.duplicates], "{context}");
    assert_eq!(count("records"), staged + expected.rejected + left_out, "{context}");
    let by_name = |key: &str| -> BTreeMap<String, u64> {
        let counts = summary[key].as_object().into_iter().flatten();
        counts.map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect()
    };
    let mut not_plays = expected.pages.clone();
    not_plays.extend(expected.left_out.clone());
    assert_eq!(by_name("not_plays"), not_plays, "{context}");
    assert_eq!(by_name("rejects").values().sum::<u64>(), expected.rejected, "{context}");
    for (table, _) in COLUMNS {
        let rows = expected.tables[table].len() as u64;
        assert_eq!(summary["tables"][table].as_u64(), Some(rows), "{table}, {context}");
    }
}

/// Default number of exports of each kind.
const USUAL: u64 = 10;

/// Loads generated exports of one kind, and asserts that they contain every kind of row.
fn compare_all(source: Source, pages: &[&str], left_out: &[&str]) {
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    let cases = cases(USUAL);
    for seed in 0..cases {
        let export = Export::new(source, "export", &mut Random::new(seed));
        let expected = compare(&export, &format!("{source:?}, seed {seed}"));
        let named = expected.pages.iter().chain(&expected.left_out);
        for (name, count) in named {
            *totals.entry(name.clone()).or_default() += count;
        }
        let plays = expected.tables["songplays"].len() as u64;
        for (name, count) in
            [("plays", plays), ("duplicates", expected.duplicates), ("rejected", expected.rejected)]
        {
            *totals.entry(name.to_owned()).or_default() += count;
        }
    }
    println!("{source:?}: {cases} exports equal the oracle: {totals:?}");
    for name in pages.iter().chain(left_out).chain(&["plays", "duplicates", "rejected"]) {
        assert!(cases < USUAL || totals.get(*name).is_some_and(|&count| count > 0), "no {name}");
    }
}

#[test]
fn exports_of_eventsim_are_what_the_oracle_computes() {
    compare_all(Source::Eventsim, &[], &[]);
}

#[test]
fn extended_histories_of_spotify_are_what_the_oracle_computes() {
    let pages = ["Audiobook", "Podcast", "Unattributed", "Skipped"];
    compare_all(Source::SpotifyExtended, &pages, &[]);
}

#[test]
fn account_data_of_spotify_is_what_the_oracle_computes() {
    let pages = ["Audiobook", "Podcast", "Unattributed", "Skipped"];
    compare_all(Source::SpotifyAccount, &pages, &[]);
}

#[test]
fn exports_of_listenbrainz_are_what_the_oracle_computes() {
    let names = ["playing now", "feedback", "pinned recording", "account"];
    compare_all(Source::ListenBrainz, &[], &names);
}

#[test]
fn pages_of_lastfm_are_what_the_oracle_computes() {
    compare_all(Source::LastFm, &[], &["playing now", "no date"]);
}

#[test]
fn exports_of_maloja_are_what_the_oracle_computes() {
    compare_all(Source::Maloja, &["Unattributed"], &[]);
}

#[test]
fn exports_of_koito_are_what_the_oracle_computes() {
    compare_all(Source::Koito, &[], &[]);
}

#[test]
fn large_exports_are_what_the_oracle_computes() {
    for (seed, source) in (0..).zip(SOURCES) {
        let export = Export::large(source, &mut Random::new(seed));
        let expected = compare(&export, &format!("{source:?}, large"));
        assert!(expected.staging.len() > 5_000, "{source:?}: {}", expected.staging.len());
    }
}
