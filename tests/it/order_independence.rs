//! Order independence of loads, on generated folders.
//!
//! The tables of one load equal those of the oracle, which shares no code with the program. Any
//! order and split of the files into loads, with repeats, rewrites and failures, ends in the same
//! tables.

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

/// Number of cases, which `SPARKIFY_CASES` overrides.
fn cases(usual: u32) -> ProptestConfig {
    let configured = std::env::var("SPARKIFY_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: configured.unwrap_or(usual),
        // Failing seeds are kept in tests/proptest-regressions.
        source_file: Some(file!()),
        ..ProptestConfig::default()
    }
}

#[test]
fn one_load_gives_what_the_oracle_computes() {
    one_load(150, || duckdb(":memory:"));
}

/// Loads `usual` generated folders, each into its own warehouse.
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
    let mut from_oracle: Vec<Vec<String>> = expected
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
    from_oracle.sort();
    assert_eq!(found, from_oracle, "the rejects");
    let kinds = [RecordKind::Events, RecordKind::Songs];
    assert_eq!(kinds.map(RecordKind::name), ["events", "songs"]);
}

/// Changes of one file over the loads.
#[derive(Debug, Clone)]
struct FileChanges {
    /// First load that has the file.
    load: usize,
    /// Load before which it gets the content of another file, if any.
    rewritten: Option<(usize, usize)>,
    /// Load before which it is removed, if any.
    removed: Option<usize>,
}

/// Failed loads and a full refresh.
#[derive(Debug, Clone)]
struct Interruptions {
    /// Loads that follow an attempt which accepts no rejects.
    strict: [bool; LOADS],
    /// Load that is a full refresh, if any.
    refresh: Option<usize>,
}

const LOADS: usize = 4;

fn file_changes() -> impl Strategy<Value = (Vec<FileChanges>, Interruptions)> {
    let rewritten = prop::option::weighted(0.6, (0..LOADS, 0_usize..8));
    let changes = (0..LOADS, rewritten, prop::option::weighted(0.15, 0..LOADS))
        .prop_map(|(load, rewritten, removed)| FileChanges { load, rewritten, removed });
    let interruptions = (any::<[bool; LOADS]>(), prop::option::weighted(0.3, 0..LOADS))
        .prop_map(|(strict, refresh)| Interruptions { strict, refresh });
    (prop::collection::vec(changes, 8), interruptions)
}

/// Totals of all histories.
#[derive(Debug, Default, Clone, Copy)]
struct Totals {
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

/// Runs `usual` histories, each in its own warehouse.
pub(crate) fn histories(usual: u32, open: impl Fn() -> Box<dyn Warehouse>) {
    let mut runner = TestRunner::new(cases(usual));
    let totals = Cell::new(Totals::default());
    runner
        .run(
            &(awkward::awkward_folder(), file_changes()),
            |(files, (file_changes, interruptions))| {
                let mut so_far = totals.get();
                run_history(&files, &file_changes, &interruptions, &mut so_far, &open);
                totals.set(so_far);
                Ok(())
            },
        )
        .unwrap();
    let totals = totals.get();
    println!("histories that ended in the tables of one load: {totals:?}");
    assert!(totals.failed > 0 && totals.replaced > 0 && totals.pruned > 0);
}

type File = (String, Vec<u8>);

/// Runs the loads, and compares the result with one full load of the final files.
fn run_history(
    files: &awkward::Files,
    file_changes: &[FileChanges],
    interruptions: &Interruptions,
    totals: &mut Totals,
    open: impl Fn() -> Box<dyn Warehouse>,
) {
    let folder = tempfile::tempdir().unwrap();
    for part in ["song_data", "log_data"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
        // Pruning refuses a folder without files.
        std::fs::write(folder.path().join(part).join("blank.json"), "").unwrap();
    }
    let mut warehouse = open();
    for number in 0..LOADS {
        for (part, list) in [("song_data", &files.songs), ("log_data", &files.logs)] {
            for (index, (path, content)) in list.iter().enumerate() {
                update_file(
                    &folder.path().join(part),
                    (path, content),
                    list,
                    &file_changes[index % 8],
                    number,
                );
            }
        }
        if interruptions.strict[number] {
            totals.failed += u32::from(load(warehouse.as_mut(), folder.path(), 0.0).is_err());
        }
        let mut load_request = request(folder.path(), 1.0);
        load_request.full_refresh = interruptions.refresh == Some(number);
        load_request.prune = number + 1 == LOADS;
        let summary = load_as(warehouse.as_mut(), &load_request).unwrap();
        totals.published += u32::from(summary.outcome == Outcome::Published);
        totals.replaced += summary.objects_changed;
        totals.pruned += summary.objects_pruned;
        let again = load(warehouse.as_mut(), folder.path(), 1.0).unwrap();
        assert_eq!(again.outcome, Outcome::Unchanged, "{summary:#?}");
    }
    let mut fresh = open();
    load(fresh.as_mut(), folder.path(), 1.0).unwrap();
    assert_same_model(&model(warehouse.as_mut()), &model(fresh.as_mut()), "after all loads");
    assert_eq!(staged(warehouse.as_mut()), staged(fresh.as_mut()));
    totals.histories += 1;
}

#[test]
fn histories_with_kills_end_in_the_same_tables() {
    let (folder, number) = (tempfile::tempdir().unwrap(), Cell::new(0));
    histories_with_kills(24, || {
        number.set(number.get() + 1);
        format!("duckdb:{}/{}.duckdb", folder.path().display(), number.get())
    });
}

/// Runs `usual` histories of processes, each with two warehouse URLs.
pub(crate) fn histories_with_kills(usual: u32, url: impl Fn() -> String) {
    let mut runner = TestRunner::new(cases(usual));
    let (tried, killed) = (Cell::new(0), Cell::new(0));
    let delays = prop::array::uniform4(prop::option::weighted(0.7, 0_u64..180));
    runner
        .run(
            &(awkward::awkward_folder(), file_changes(), delays),
            |(files, (file_changes, _), delays)| {
                killed.set(
                    killed.get()
                        + run_killed_history(&files, &file_changes, &delays, [&url(), &url()]),
                );
                tried.set(tried.get() + 1);
                Ok(())
            },
        )
        .unwrap();
    println!(
        "{} histories with {} kills ended in the tables of one load",
        tried.get(),
        killed.get()
    );
    assert!(killed.get() > 0);
}

/// Runs the loads as processes, kills some of them after a delay in milliseconds, and returns the
/// number of kills.
fn run_killed_history(
    files: &awkward::Files,
    file_changes: &[FileChanges],
    delays: &[Option<u64>; LOADS],
    [url, fresh]: [&str; 2],
) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for part in ["song_data", "log_data"] {
        std::fs::create_dir(here.join(part)).unwrap();
    }
    let paths = ["--song-data", "song_data", "--log-data", "log_data"];
    let etl =
        ["etl", "--quiet", "--allow-empty", "--max-reject-share", "100%"].into_iter().chain(paths);
    let etl = |url| etl.clone().chain(["--warehouse", url]);
    let mut killed = 0;
    for (number, delay) in delays.iter().enumerate() {
        for (part, list) in [("song_data", &files.songs), ("log_data", &files.logs)] {
            for (index, (path, content)) in list.iter().enumerate() {
                // Rows of removed files are kept, so no file is removed here.
                let changes = FileChanges { removed: None, ..file_changes[index % 8].clone() };
                update_file(&here.join(part), (path, content), list, &changes, number);
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

fn update_file(
    root: &Path,
    (path, content): (&String, &Vec<u8>),
    list: &[File],
    changes: &FileChanges,
    now: usize,
) {
    let target = root.join(path);
    if changes.removed.is_some_and(|load| load <= now) {
        let _ = std::fs::remove_file(target);
        return;
    }
    let content = match changes.rewritten {
        // A `.gz` can only become another `.gz`.
        Some((load, other)) if load <= now && now > changes.load => {
            let (other_path, other) = &list[other % list.len()];
            // An ignored file need not be compressed, whatever its name.
            let same_form = Path::new(other_path).extension() == Path::new(path).extension()
                && (path.ends_with("json") || other.get(..2) == content.get(..2));
            if same_form { other } else { content }
        }
        _ => content,
    };
    if changes.load > now || std::fs::read(&target).is_ok_and(|there| there == *content) {
        return;
    }
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    std::fs::write(target, content).unwrap();
}

/// Returns the number of staged and rejected rows of each object.
fn staged(warehouse: &mut dyn Warehouse) -> BTreeMap<String, Vec<String>> {
    rows(warehouse, "etl_objects", &["object_key", "rows_staged", "rows_rejected", "fingerprint"])
        .into_iter()
        .map(|row| (row[0].clone(), row))
        .collect()
}
