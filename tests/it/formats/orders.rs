//! Order independence of overlapping exports.

use sparkify_warehouse::Access;

use super::expected::expected;
use super::generate::{Export, write_exports};
use super::random::Random;
use super::source::SOURCES;
use super::{cases, load};
use crate::support::{assert_same_model, model, open};

/// Each case loads two exports of one account, of which the later repeats the earlier, in a random
/// order and split of their files.
#[test]
fn overlapping_exports_in_any_order_and_split_give_the_same_tables() {
    let cases = cases(100);
    let (mut loads, mut repeats) = (0, 0);
    for seed in 0..cases {
        let mut random = Random::new(1_000_000 + seed);
        let source = random.pick(&SOURCES);
        let earlier = Export::new(source, "2024", &mut random);
        let later = earlier.later("2025", &mut random);
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let mut files: Vec<_> = earlier.files.iter().chain(&later.files).collect();
        random.shuffle(&mut files);
        let mut rest = files.as_slice();
        while !rest.is_empty() {
            let (now, after) = rest.split_at(1 + random.below(rest.len()));
            write_exports(now.iter().copied(), &here.join("logs"));
            load(here, "logs", "duckdb:w.duckdb", source);
            loads += 1;
            rest = after;
        }
        let expected = expected([&earlier, &later]);
        let url = format!("duckdb:{}", here.join("w.duckdb").display());
        let found = model(open(&url, Access::Read).unwrap().as_mut());
        let context = format!("{source:?}, seed {seed}");
        assert_same_model(&found, &expected.tables, &context);
        repeats += expected.duplicates;
    }
    println!("{cases} orders of overlapping exports, {loads} loads, {repeats} repeated plays");
    assert!(repeats > 0);
}
