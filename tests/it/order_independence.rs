//! The law: whatever the files, the tables are those of a small computation that shares nothing with the program; and whatever the order and the
//! split of the files into loads, with repeats and rewrites between them, the tables are those of one load.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sparkify_load::pipeline::{Outcome, Summary};
use sparkify_reader::RecordKind;
use sparkify_warehouse::{Value, Warehouse};

use crate::oracle::{self, awkward};
use crate::support::{
    assert_same_model, duckdb, load, load_as, model, request, rows, run, sparkify,
};

/// How many cases: `SPARKIFY_CASES` asks for more.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("SPARKIFY_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(usual),
        // Failing seeds are kept in tests/proptest-regressions.
        source_file: Some(file!()),
        ..ProptestConfig::default()
    }
}

#[test]
fn one_load_gives_what_the_oracle_computes() {
    one_load(150, || duckdb(":memory:"));
}

/// Loads so many generated folders, each into a warehouse of its own.
pub(crate) fn one_load(usual: u32, open: impl Fn() -> Box<dyn Warehouse>) {
    let mut runner = TestRunner::new(cases(usual));
    let tried = Cell::new(0);
    runner
        .run(&awkward::awkward_folder(), |files| {
            let folder = tempfile::tempdir().unwrap();
            awkward::write(&files, folder.path());
            let mut warehouse = open();
            let summary = load(warehouse.as_mut(), folder.path(), 1.0).unwrap();
            compare(warehouse.as_mut(), folder.path(), &summary);
            tried.set(tried.get() + 1);
            Ok(())
        })
        .unwrap();
    println!("{} generated folders were loaded and compared with the oracle", tried.get());
}

fn compare(warehouse: &mut dyn Warehouse, folder: &Path, summary: &Summary) {
    let (songs, logs) = (folder.join("song_data"), folder.join("log_data"));
    let expected = oracle::expected(Some(&songs), Some(&logs));
    assert_same_model(&model(warehouse), &expected.tables, "one load");
    let usize_of = |count: u64| usize::try_from(count).unwrap();
    assert_eq!(usize_of(summary.events_staged), expected.staged_events);
    assert_eq!(usize_of(summary.songs_staged), expected.staged_songs);
    assert_eq!(usize_of(summary.duplicates), expected.duplicates);
    assert_eq!(summary.extra_keys, expected.extra_keys);
    assert_eq!(usize_of(summary.repairs.values().sum()), expected.repairs);
    let found = rows(
        warehouse,
        "etl_rejects join etl_objects using (object_id)",
        &["object_key", "byte_offset", "raw"],
    );
    let mut theirs: Vec<Vec<String>> = expected
        .rejects
        .iter()
        .map(|reject| {
            let below =
                [&songs, &logs].map(|root| root.canonicalize().unwrap().join(&reject.object));
            let object = below.iter().find(|path| path.exists()).unwrap();
            let raw = Value::Bytes(reject.raw.clone()).to_string();
            vec![object.to_str().unwrap().to_owned(), reject.position.to_string(), raw]
        })
        .collect();
    theirs.sort();
    assert_eq!(found, theirs, "the rejects");
    let kinds = [RecordKind::Events, RecordKind::Songs];
    assert_eq!(kinds.map(RecordKind::name), ["events", "songs"]);
}

/// What happens to one file, and in which load.
#[derive(Debug, Clone)]
struct Fate {
    /// The load that first meets it.
    load: usize,
    /// The load, if any, before which its content becomes that of another file.
    rewritten: Option<(usize, usize)>,
    /// The load, if any, before which it is removed.
    removed: Option<usize>,
}

/// What happens besides: loads that fail, and a full refresh.
#[derive(Debug, Clone)]
struct Weather {
    /// Before which loads one is tried that accepts no reject.
    strict: [bool; LOADS],
    /// The load that reads everything again.
    refresh: Option<usize>,
}

const LOADS: usize = 4;

fn fates() -> impl Strategy<Value = (Vec<Fate>, Weather)> {
    let rewritten = prop::option::weighted(0.6, (0..LOADS, 0_usize..8));
    let fate = (0..LOADS, rewritten, prop::option::weighted(0.15, 0..LOADS))
        .prop_map(|(load, rewritten, removed)| Fate { load, rewritten, removed });
    let weather = (any::<[bool; LOADS]>(), prop::option::weighted(0.3, 0..LOADS))
        .prop_map(|(strict, refresh)| Weather { strict, refresh });
    (prop::collection::vec(fate, 8), weather)
}

/// What a number of histories held.
#[derive(Debug, Default, Clone, Copy)]
struct Lived {
    histories: u32,
    published: u32,
    failed: u32,
    replaced: u64,
    pruned: u64,
}

#[test]
fn any_order_and_split_with_repeats_rewrites_and_failures_ends_in_the_same_tables() {
    histories(150, || duckdb(":memory:"));
}

/// Lives so many histories, each in a warehouse of its own.
pub(crate) fn histories(usual: u32, open: impl Fn() -> Box<dyn Warehouse>) {
    let mut runner = TestRunner::new(cases(usual));
    let lived = Cell::new(Lived::default());
    runner
        .run(&(awkward::awkward_folder(), fates()), |(files, (fates, weather))| {
            let mut so_far = lived.get();
            live(&files, &fates, &weather, &mut so_far, &open);
            lived.set(so_far);
            Ok(())
        })
        .unwrap();
    let lived = lived.get();
    println!("histories that ended in the tables of one load: {lived:?}");
    assert!(lived.failed > 0 && lived.replaced > 0 && lived.pruned > 0);
}

type File = (String, Vec<u8>);

/// Lives through the loads, and compares the end with one full load of what lies there then.
fn live(
    files: &awkward::Files,
    fates: &[Fate],
    weather: &Weather,
    lived: &mut Lived,
    open: impl Fn() -> Box<dyn Warehouse>,
) {
    let folder = tempfile::tempdir().unwrap();
    for part in ["song_data", "log_data"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
        // So that pruning never meets an empty folder.
        std::fs::write(folder.path().join(part).join("blank.json"), "").unwrap();
    }
    let mut warehouse = open();
    for number in 0..LOADS {
        for (part, list) in [("song_data", &files.songs), ("log_data", &files.logs)] {
            for (index, (path, content)) in list.iter().enumerate() {
                lay(&folder.path().join(part), (path, content), list, &fates[index % 8], number);
            }
        }
        if weather.strict[number] {
            lived.failed += u32::from(load(warehouse.as_mut(), folder.path(), 0.0).is_err());
        }
        let mut asked = request(folder.path(), 1.0);
        asked.full_refresh = weather.refresh == Some(number);
        asked.prune = number + 1 == LOADS;
        let summary = load_as(warehouse.as_mut(), &asked).unwrap();
        lived.published += u32::from(summary.outcome == Outcome::Published);
        lived.replaced += summary.objects_changed;
        lived.pruned += summary.objects_pruned;
        let again = load(warehouse.as_mut(), folder.path(), 1.0).unwrap();
        assert_eq!(again.outcome, Outcome::Unchanged, "{summary:#?}");
    }
    let mut fresh = open();
    load(fresh.as_mut(), folder.path(), 1.0).unwrap();
    assert_same_model(&model(warehouse.as_mut()), &model(fresh.as_mut()), "after all loads");
    assert_eq!(staged(warehouse.as_mut()), staged(fresh.as_mut()));
    lived.histories += 1;
}

#[test]
fn histories_with_kills_end_in_the_same_tables() {
    let (folder, number) = (tempfile::tempdir().unwrap(), Cell::new(0));
    histories_with_kills(24, || {
        number.set(number.get() + 1);
        format!("duckdb:{}/{}.duckdb", folder.path().display(), number.get())
    });
}

/// Lives so many histories of processes, each in two warehouses at URLs of its own.
pub(crate) fn histories_with_kills(usual: u32, url: impl Fn() -> String) {
    let mut runner = TestRunner::new(cases(usual));
    let (tried, killed) = (Cell::new(0), Cell::new(0));
    let delays = prop::array::uniform4(prop::option::weighted(0.7, 0_u64..180));
    runner
        .run(&(awkward::awkward_folder(), fates(), delays), |(files, (fates, _), delays)| {
            killed.set(killed.get() + survive(&files, &fates, &delays, [&url(), &url()]));
            tried.set(tried.get() + 1);
            Ok(())
        })
        .unwrap();
    println!(
        "{} histories with {} kills ended in the tables of one load",
        tried.get(),
        killed.get()
    );
    assert!(killed.get() > 0);
}

/// Lives through the loads as processes, some of which are killed after so many milliseconds; says how many were.
fn survive(
    files: &awkward::Files,
    fates: &[Fate],
    delays: &[Option<u64>; LOADS],
    [url, fresh]: [&str; 2],
) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for part in ["song_data", "log_data"] {
        std::fs::create_dir(here.join(part)).unwrap();
    }
    let paths = ["--song-data", "song_data", "--log-data", "log_data"];
    let etl = ["etl", "--quiet", "--max-reject-share", "100%"].into_iter().chain(paths);
    let etl = |url| etl.clone().chain(["--warehouse", url]);
    let mut killed = 0;
    for (number, delay) in delays.iter().enumerate() {
        for (part, list) in [("song_data", &files.songs), ("log_data", &files.logs)] {
            for (index, (path, content)) in list.iter().enumerate() {
                // What vanishes keeps its rows: nothing is removed here.
                let fate = Fate { removed: None, ..fates[index % 8].clone() };
                lay(&here.join(part), (path, content), list, &fate, number);
            }
        }
        if let Some(delay) = delay {
            let mut child = sparkify(here, etl(url)).stdout(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(*delay));
            killed += u32::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
        }
        run(here, etl(url)).good();
    }
    run(here, ["check", "--quiet", "--warehouse", url]).good();
    run(here, etl(fresh)).good();
    run(here, ["diff", url, fresh]).good();
    killed
}

fn lay(root: &Path, (path, content): (&String, &Vec<u8>), list: &[File], fate: &Fate, now: usize) {
    let target = root.join(path);
    if fate.removed.is_some_and(|load| load <= now) {
        let _ = std::fs::remove_file(target);
        return;
    }
    let content = match fate.rewritten {
        // A `.gz` can only become another `.gz`.
        Some((load, other)) if load <= now && now > fate.load => {
            let (other_path, other) = &list[other % list.len()];
            // What is ignored under a packed name need not be packed.
            let same_form = Path::new(other_path).extension() == Path::new(path).extension()
                && (path.ends_with("json") || other.get(..2) == content.get(..2));
            if same_form { other } else { content }
        }
        _ => content,
    };
    if fate.load > now || std::fs::read(&target).is_ok_and(|there| there == *content) {
        return;
    }
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    std::fs::write(target, content).unwrap();
}

/// How many rows each object has in staging and rejects.
fn staged(warehouse: &mut dyn Warehouse) -> BTreeMap<String, Vec<String>> {
    rows(warehouse, "etl_objects", &["object_key", "rows_staged", "rows_rejected", "fingerprint"])
        .into_iter()
        .map(|row| (row[0].clone(), row))
        .collect()
}
