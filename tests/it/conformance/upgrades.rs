//! Upgrade of a warehouse of sparkify 0.1.0 in place, on every engine.

use std::path::Path;

use sparkify_load::layout::{self, CURRENT};
use sparkify_load::tables::Found;
use sparkify_load::upgrade::Upgrade;
use sparkify_load::{data_tests, pipeline};
use sparkify_reader::Meter;
use sparkify_warehouse::{Access, Warehouse, WarehouseError};

use super::{Engine, Place, open};
use crate::old_warehouse::{Fault, Interrupted, Sources, catalog, restore, write_sources};
use crate::support::{self, assert_same_model, load, model, rows, run};

/// Plays that version 0.1.0 loaded.
const PLAYS: usize = 50;

/// A warehouse of version 0.1.0, and a folder with sources.
struct Old {
    place: Box<dyn Place>,
    url: String,
    folder: tempfile::TempDir,
}

impl Old {
    fn new(engine: &Engine, sources: Sources) -> Self {
        let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
        write_sources(folder.path(), sources);
        let url = place.url();
        restore(&url, folder.path());
        Self { place, url, folder }
    }

    fn open(&self) -> Box<dyn Warehouse> {
        open(&self.url)
    }

    /// Returns a warehouse of this version with the same sources.
    fn fresh(&self) -> Box<dyn Warehouse> {
        let mut fresh = open(&self.place.url());
        load(fresh.as_mut(), self.folder.path(), 1.0).unwrap();
        fresh
    }

    fn here(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> support::Ended {
        run(self.here(), arguments.iter().copied().chain(["--warehouse", &self.url]))
    }
}

fn upgrade(warehouse: &mut dyn Warehouse) -> Result<Option<Upgrade>, WarehouseError> {
    pipeline::upgrade(warehouse, &Meter::default())
}

fn assert_same(one: &mut dyn Warehouse, other: &mut dyn Warehouse, context: &str) {
    assert_same_model(&model(one), &model(other), context);
    let rejects = |warehouse: &mut dyn Warehouse| {
        rows(warehouse, "etl_rejects", &["byte_offset", "byte_length", "reason", "raw"])
    };
    assert_eq!(rejects(one), rejects(other), "{context}");
    let (found, expected) = (catalog(one), catalog(other));
    let differing: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
    assert!(found == expected, "{context}: {differing:#?}");
    let results = data_tests::run(one).unwrap();
    let failed: Vec<_> = results.iter().filter(|result| !result.passed()).collect();
    assert!(failed.is_empty(), "{context}: {failed:?}");
}

/// The sources were loaded by version 0.1.0, and nothing is read again.
pub(crate) fn an_upgraded_warehouse_equals_a_fresh_one(engine: &Engine) {
    let old = Old::new(engine, Sources::Before);
    let mut warehouse = old.open();
    let staged = rows(warehouse.as_mut(), "staging_events", &["load_id", "object_id", "ts"]);
    let upgraded = upgrade(warehouse.as_mut()).unwrap().expect("an upgrade");
    assert_eq!((upgraded.from, upgraded.to), (1, CURRENT.layout));
    assert_same(warehouse.as_mut(), old.fresh().as_mut(), "upgraded");
    let kept = rows(warehouse.as_mut(), "staging_events", &["load_id", "object_id", "ts"]);
    assert_eq!(staged, kept);
    let recorded = rows(warehouse.as_mut(), "etl_layout", &["layout", "version"]);
    assert_eq!(recorded, [[CURRENT.layout.to_string(), CURRENT.version.to_owned()]]);
    assert_eq!(upgrade(warehouse.as_mut()).unwrap(), None);
    assert_eq!(rows(warehouse.as_mut(), "etl_layout", &["layout"]).len(), 1);
}

/// Days before, between and after those that version 0.1.0 loaded.
pub(crate) fn loads_go_on_after_an_upgrade(engine: &Engine) {
    for upgrades_first in [true, false] {
        let old = Old::new(engine, Sources::All);
        let mut warehouse = old.open();
        if upgrades_first {
            upgrade(warehouse.as_mut()).unwrap();
        }
        let summary = load(warehouse.as_mut(), old.here(), 1.0).unwrap();
        assert_eq!(summary.upgraded_from, (!upgrades_first).then_some(1));
        // Redshift copied one of the files from S3, so it is new in the folder.
        let known = if warehouse.engine() == "redshift" { 17 } else { 18 };
        assert_eq!((summary.objects_skipped, summary.objects_changed), (known, 0));
        assert_eq!(summary.objects_read + known, 30);
        assert_same(warehouse.as_mut(), old.fresh().as_mut(), "loaded after the upgrade");
        let again = load(warehouse.as_mut(), old.here(), 1.0).unwrap();
        assert_eq!((again.objects_read, again.upgraded_from), (0, None));
    }
}

/// Replaying rejected records upgrades, too.
pub(crate) fn a_replay_upgrades(engine: &Engine) {
    let old = Old::new(engine, Sources::Before);
    let day = old.here().join("log_data/2018/11/2018-11-07-events.json");
    let text = std::fs::read_to_string(&day).unwrap();
    let ts = "\"ts\": 1541592728467, \"itemInSession\": 1,";
    std::fs::write(&day, text.replace("\"itemInSession\": 1,", ts)).unwrap();
    old.run(&["rejects", "replay", "--max-reject-share", "0"]).good();
    let mut warehouse = old.open();
    assert_eq!(layout::check(warehouse.as_mut()).unwrap(), Some(CURRENT.layout));
    assert_same(warehouse.as_mut(), old.fresh().as_mut(), "replayed");
}

/// The connection is lost, or the server refuses a statement, at each one of an upgrade.
pub(crate) fn an_interrupted_upgrade_leaves_the_old_layout(engine: &Engine) {
    for fault in [Fault::Refused, Fault::Killed] {
        let old = Old::new(engine, Sources::Before);
        let before = catalog(old.open().as_mut());
        let mut statements = 0;
        loop {
            let mut warehouse = Interrupted::after(statements, fault, old.open());
            let Err(error) = upgrade(&mut warehouse) else { break };
            let says = error.to_string();
            match fault {
                Fault::Refused => assert!(says.contains("refused by the test"), "{says}"),
                Fault::Killed => assert!(says.contains("was lost"), "{says}"),
            }
            if fault == Fault::Refused {
                let same = layout::check(warehouse.inner.as_mut()).unwrap();
                assert_eq!(same, Some(1), "{fault:?} after {statements} statements");
            }
            drop(warehouse);
            let found = catalog(old.open().as_mut());
            assert!(found == before, "{fault:?} after {statements} statements");
            statements += 1;
        }
        assert!(statements > 100, "{statements}");
        println!("{fault:?} before each of {statements} statements: the old layout");
        assert_same(old.open().as_mut(), old.fresh().as_mut(), "at last");
    }
}

/// A load that is killed between the statements of its upgrade or after them.
pub(crate) fn a_killed_load_leaves_the_old_layout(engine: &Engine) {
    let old = Old::new(engine, Sources::All);
    let before = catalog(old.open().as_mut());
    let mut kills = 0;
    for statements in (0..).step_by(11) {
        let mut warehouse = Interrupted::after(statements, Fault::Killed, old.open());
        if load(&mut warehouse, old.here(), 1.0).is_ok() {
            break;
        }
        drop(warehouse);
        let mut warehouse = old.open();
        assert!(catalog(warehouse.as_mut()) == before, "killed after {statements} statements");
        assert_eq!(rows(warehouse.as_mut(), "songplays", &["songplay_id"]).len(), PLAYS);
        kills += 1;
    }
    assert!(kills > 10, "{kills}");
    println!("{kills} loads were killed: the old layout");
    assert_same(old.open().as_mut(), old.fresh().as_mut(), "at last");
}

/// A failed load changes no table, and is recorded in the old ones.
pub(crate) fn a_failed_load_upgrades_nothing(engine: &Engine) {
    let old = Old::new(engine, Sources::Before);
    let mut warehouse = old.open();
    let before = catalog(warehouse.as_mut());
    let loads = rows(warehouse.as_mut(), "etl_loads", &["load_id"]).len();
    let bad = std::fs::read_to_string(old.here().join("log_data/2018/11/2018-11-07-events.json"));
    support::put(old.here(), "log_data/2018/11/2018-11-09-events.json", bad.unwrap());
    assert!(load(warehouse.as_mut(), old.here(), 0.0).is_err());
    assert!(catalog(warehouse.as_mut()) == before);
    let outcomes = rows(warehouse.as_mut(), "etl_loads", &["load_id", "outcome"]);
    assert_eq!(outcomes.len(), loads + 1);
    assert_eq!(outcomes[loads][1], "failed");
}

/// Commands that read, on the layout of version 0.1.0: they read it, and leave it.
pub(crate) fn commands_read_the_old_layout(engine: &Engine) {
    let old = Old::new(engine, Sources::Before);
    let before = catalog(old.open().as_mut());
    let play = rows(old.open().as_mut(), "songplays", &["songplay_id"])[0][0].clone();
    for command in [
        &["check"][..],
        &["history"],
        &["query", "top_songs"],
        &["query", "row_counts"],
        &["query", "select count(*) from songplays"],
        &["describe"],
        &["describe", "songplays"],
        &["docs"],
        &["export", "out"],
        &["plan", "--song-data", "song_data", "--log-data", "log_data"],
        &["rejects", "list"],
        &["rejects", "show", "17:388"],
        &["trace", &play],
        &["verify"],
        &["upgrade", "--plan"],
    ] {
        old.run(command).good();
    }
    #[cfg(feature = "page")]
    old.run(&["report"]).good();
    let count = "select count(*) as plays from songplays;\n";
    let shown = support::run_shell(old.here(), &["--warehouse", &old.url], count).good();
    assert!(shown.contains(&PLAYS.to_string()), "{shown}");
    let url = old.place.url();
    run(
        old.here(),
        [
            "etl",
            "-q",
            "--song-data",
            "song_data",
            "--log-data",
            "log_data",
            "--max-reject-share",
            "1",
            "--warehouse",
            &url,
        ],
    )
    .good();
    run(old.here(), ["diff", &old.url, &url]).good();
    assert!(catalog(old.open().as_mut()) == before);
}

/// The command prints its steps, runs them once, and then finds nothing to do.
pub(crate) fn the_plan_of_an_upgrade_changes_nothing(engine: &Engine) {
    let old = Old::new(engine, Sources::Before);
    let before = catalog(old.open().as_mut());
    let planned = old.run(&["upgrade", "--plan", "--output", "json"]).json();
    let script = old.run(&["upgrade", "--plan"]).good();
    assert!(script.contains("create table etl_layout ("), "{script}");
    assert!(catalog(old.open().as_mut()) == before);
    let done = old.run(&["upgrade", "--output", "json"]).json();
    assert_eq!((&planned["upgraded"], &done["upgraded"]), (&false.into(), &true.into()));
    let statements = |value: &serde_json::Value| {
        let steps = value["steps"].as_array().unwrap().clone();
        // The last statement holds the time.
        steps.into_iter().rev().skip(1).collect::<Vec<_>>()
    };
    assert_eq!(statements(&planned), statements(&done));
    assert_eq!((&done["from"], &done["to"]), (&1.into(), &CURRENT.layout.into()));
    let again = old.run(&["upgrade"]).good();
    assert_eq!(again, format!("nothing to upgrade: the warehouse has layout {}\n", CURRENT.layout));
    let again = old.run(&["upgrade", "--output", "json"]).json();
    assert_eq!((&again["upgraded"], again["steps"].as_array().unwrap().len()), (&false.into(), 0));
}

pub(crate) fn a_newer_layout_is_refused(engine: &Engine) {
    let old = Old::new(engine, Sources::Before);
    old.run(&["upgrade"]).good();
    let newer = "insert into etl_layout values (99, '9.8.7', timestamp '2030-01-02 03:04:05')";
    old.open().execute(newer).unwrap();
    let before = catalog(old.open().as_mut());
    let sources = ["--song-data", "song_data", "--log-data", "log_data"];
    for command in [
        &[&["etl"][..], &sources].concat()[..],
        &[&["plan"][..], &sources].concat(),
        &["rejects", "replay"],
        &["upgrade"],
        &["upgrade", "--plan"],
        &["create-tables", "--yes"],
        &["check"],
        &["history"],
        &["query", "top_songs"],
        &["query", "select 1"],
        &["shell"],
        &["export", "out"],
        &["docs"],
        &["verify"],
    ] {
        let says = old.run(command).bad(2);
        let expected = format!(
            "error: the warehouse has layout 99, and this version of sparkify knows layouts up to {}\n\
             hint: install sparkify 9.8.7 or later; this is {}\n",
            CURRENT.layout,
            env!("CARGO_PKG_VERSION")
        );
        assert!(says.ends_with(&expected), "{command:?}: {says}");
    }
    let says = run(old.here(), ["diff", &old.url, &old.url]).bad(2);
    assert!(says.contains("9.8.7"), "{says}");
    let mut warehouse = support::open(&old.url, Access::Read).unwrap();
    assert!(matches!(
        Found::read(warehouse.as_mut()),
        Err(WarehouseError::NewerLayout { layout: 99, .. })
    ));
    drop(warehouse);
    assert!(catalog(old.open().as_mut()) == before);
    assert_eq!(rows(old.open().as_mut(), "songplays", &["songplay_id"]).len(), PLAYS);
}
