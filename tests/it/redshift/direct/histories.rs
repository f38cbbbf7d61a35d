//! Order independence of direct loads: any order and split of the objects into loads, with rewrites
//! and deletions, ends in the same tables.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{By, ended, small};
use crate::oracle::awkward;
use crate::redshift::Cluster;
use crate::support::{event, song, walk};

/// Change of the bucket before a load.
#[derive(Clone, Debug)]
enum Step {
    /// Replaces the log of this day by these plays.
    Log(u8, Vec<(u8, u8)>),
    Song(u8, u8),
    Remove(u8),
    /// Replaces a log by one with a record that COPY rejects.
    Damaged(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let plays = prop::collection::vec((0..4_u8, 0..5_u8), 0..4);
    prop_oneof![
        4 => (0..6_u8, plays).prop_map(|(day, plays)| Step::Log(day, plays)),
        2 => (0..4_u8, 0..5_u8).prop_map(|(file, title)| Step::Song(file, title)),
        2 => (1..6_u8).prop_map(Step::Remove),
        1 => (0..6_u8, 0..5_u8).prop_map(|(day, title)| Step::Damaged(day, title)),
    ]
}

fn key_of(day: u8) -> String {
    format!("data/log_data/2018/11/2018-11-{:02}-events.json", day + 1)
}

/// Returns a title; some are double-encoded.
fn title(number: u8) -> String {
    let title = ["One", "Björk", "日本", "Two ", "It's \\\\ three"][usize::from(number)];
    if number % 2 == 1 { title.bytes().map(char::from).collect() } else { title.to_owned() }
}

fn plays(day: u8, plays: &[(u8, u8)]) -> String {
    let one = |(at, (session, number)): (usize, &(u8, u8))| {
        let ts = 1_541_376_000_000 + u64::from(day) * 86_400_000 + at as u64;
        event((*session).into(), u32::try_from(at).unwrap(), ts, "NextSong", &title(*number))
    };
    plays.iter().enumerate().map(one).collect()
}

impl Step {
    fn apply(&self, cluster: &Cluster, objects: &mut BTreeMap<String, String>) {
        match self {
            Self::Log(day, list) => drop(objects.insert(key_of(*day), plays(*day, list))),
            Self::Song(file, number) => {
                let record = song(&format!("SO{file}"), &title(*number), 200.5);
                objects.insert(format!("data/song_data/{file}.json"), record);
            }
            Self::Remove(day) => drop(objects.remove(&key_of(*day))),
            Self::Damaged(day, number) => {
                let log = plays(*day, &[(1, *number)]) + "{\"ts\": 1\n";
                objects.insert(key_of(*day), log);
            }
        }
        for key in (0..6).map(key_of).filter(|key| !objects.contains_key(key)) {
            cluster.store.remove(&key);
        }
        for (key, content) in objects.iter() {
            cluster.store.put(key, content.clone());
        }
    }
}

#[test]
fn any_history_of_direct_loads_ends_in_the_tables_of_one_load() {
    let mut runner = TestRunner::deterministic();
    let more = ["--max-reject-share", "100%", "--prune"];
    let mut steps = 0;
    for case in 0..cases(8) {
        let by = if case % 2 == 0 { By::Prefixes } else { By::Lists };
        let cluster = small();
        let mut objects = BTreeMap::new();
        objects.insert("data/song_data/0.json".to_owned(), song("SO0", "One", 200.5));
        objects.insert(key_of(0), plays(0, &[(1, 0)]));
        let history = prop::collection::vec(prop::collection::vec(step(), 1..4), 3..6);
        let history = history.new_tree(&mut runner).unwrap().current();
        for load in &history {
            for step in load {
                step.apply(&cluster, &mut objects);
            }
            steps += load.len();
            ended(&mut cluster.direct(by, &more)).good();
            cluster.run(["check"]).good();
        }
        // One load of the final objects into DuckDB.
        println!("{history:?}");
        cluster.assert_same(&more);
    }
    assert!(steps > 20, "{steps}");
}

#[test]
fn awkward_input_gives_the_same_tables_as_duckdb() {
    let mut runner = TestRunner::deterministic();
    let mut given_back = 0;
    for number in 0..cases(6) {
        let cluster = small();
        let files = awkward::awkward_folder().new_tree(&mut runner).unwrap().current();
        let folder = cluster.folder.path().join(format!("data{number}"));
        awkward::write(&files, &folder);
        for file in walk(&folder) {
            let key = file.strip_prefix(&folder).unwrap().to_str().unwrap();
            cluster.store.put(&format!("data/{key}"), std::fs::read(&file).unwrap());
        }
        let more = ["--max-reject-share", "100%"];
        let summary = ended(&mut cluster.direct(By::Lists, &more)).json();
        given_back += summary["objects_parsed_after_copy"].as_u64().unwrap();
        cluster.assert_same(&more);
    }
    assert!(given_back > 0);
}

/// Number of cases, which `SPARKIFY_CASES` overrides.
fn cases(usual: u32) -> u32 {
    let configured = std::env::var("SPARKIFY_CASES").ok().and_then(|cases| cases.parse().ok());
    configured.unwrap_or(usual)
}
