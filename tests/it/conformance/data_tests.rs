//! Each data test finds its damage on every engine.

use sparkify_load::data_tests;

use super::{Engine, open};
use crate::data_tests::DAMAGE;
use crate::support::{event, load, put, song};

pub(crate) fn every_data_test_finds_its_damage(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    put(folder.path(), "song_data/a.json", song("SO1", "One", 200.5));
    let events =
        (0..3).map(|item| event(1, item, 1_541_000_000_000 + u64::from(item), "NextSong", "One"));
    put(folder.path(), "log_data/e.json", events.collect::<String>());
    let mut warehouse = open(&place.url());
    load(warehouse.as_mut(), folder.path(), 0.0).unwrap();
    let mut found = 0;
    for (check, damage) in DAMAGE {
        warehouse.execute("begin").unwrap();
        if damage.starts_with("alter ") && !engine.differences.drops_not_null {
            // The engine enforces this constraint, so the damage itself fails.
            let harm = damage.split("; ").nth(1).unwrap();
            assert!(warehouse.execute(harm).is_err(), "{check}: {harm}");
            warehouse.execute("rollback").unwrap();
            found += 1;
            continue;
        }
        for statement in damage.split("; ") {
            warehouse.execute(statement).unwrap();
        }
        let verdicts = data_tests::run(warehouse.as_mut()).unwrap();
        let verdict = verdicts.iter().find(|verdict| verdict.test == *check).unwrap();
        assert!(!verdict.passed(), "{check} found nothing");
        warehouse.execute("rollback").unwrap();
        found += 1;
    }
    let verdicts = data_tests::run(warehouse.as_mut()).unwrap();
    assert!(verdicts.iter().all(data_tests::TestResult::passed) && verdicts.len() == found);
}
