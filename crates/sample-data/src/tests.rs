//! Determinism, and counts that match the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::members::Members;
use super::*;

/// Folder that is removed after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("generate-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn files(below: &Path, base: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, base, into);
        } else {
            into.insert(path.strip_prefix(base).unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

fn generated(name: &str, request: &Request) -> (Generated, BTreeMap<PathBuf, Vec<u8>>) {
    let folder = Folder::new(name);
    let done = generate(&folder.0, request, &mut |_| {}).unwrap();
    let mut all = BTreeMap::new();
    files(&folder.0, &folder.0, &mut all);
    (done, all)
}

fn small() -> Request {
    Request { songs: 120, events: 3_000, days: 9, users: 40, ..Request::default() }
}

fn number(members: &Members, key: &str) -> u64 {
    String::from_utf8_lossy(members.get(key)).parse().unwrap()
}

#[test]
fn output_is_a_function_of_the_request() {
    for awkward in [false, true] {
        let request = Request { awkward, ..small() };
        let (first, again) = (generated("one", &request), generated("two", &request));
        assert!(first == again);
        let other = generated("other", &Request { seed: 8, ..request });
        assert!(first.1 != other.1);
    }
}

#[test]
fn counts_are_exact_and_events_in_order() {
    let request = small();
    let (done, files) = generated("counts", &request);
    let bytes: usize = files.values().map(Vec::len).sum();
    assert_eq!(done.bytes, bytes as u64);
    assert_eq!((done.song_objects, done.song_records), (120, 120));
    assert_eq!((done.events, done.log_objects, done.damaged), (3_000, 9, 0));
    let (mut events, mut plays, mut last, mut places) = (0, 0, 0, BTreeSet::new());
    for (_, text) in files.iter().filter(|(path, _)| path.starts_with("log_data")) {
        for line in text.strip_suffix(b"\n").unwrap().split(|&b| b == b'\n') {
            let event = Members::of(line);
            let ts = number(&event, "ts");
            assert!(ts >= last);
            assert!(places.insert((number(&event, "sessionId"), number(&event, "itemInSession"))));
            events += 1;
            plays += u64::from(event.get("page") == b"\"NextSong\"");
            last = ts;
        }
    }
    assert_eq!((done.events, done.plays), (events, plays));
    assert!((2_400..2_600).contains(&plays), "{plays}");
    assert!(last < (17_836 + 9) * calendar::DAY_MS);
}

#[test]
fn awkward_input_has_all_requested_records() {
    let (done, files) = generated("awkward", &Request { awkward: true, ..small() });
    assert!(done.events > 3_000 && done.song_records > 120 && done.duplicates > 0);
    assert_eq!((done.song_objects, done.log_objects), (121, 11));
    assert!(done.damaged > 5 && done.damaged * 100 < done.events + done.song_records);
    let ends = |end: &str| files.keys().any(|path| path.to_string_lossy().ends_with(end));
    assert!(ends(".gz") && ends(".zst") && ends(".DS_Store") && ends("_SUCCESS"));
}

#[test]
fn invalid_requests_and_non_empty_folders_are_rejected() {
    let folder = Folder::new("refused");
    let refuse = |request: &Request| generate(&folder.0, request, &mut |_| {}).unwrap_err();
    assert!(refuse(&Request { days: 0, ..small() }).hint().is_some());
    refuse(&Request { users: 0, ..small() });
    refuse(&Request { start: (2018, 2, 30), ..small() });
    let tiny = Request { songs: 0, events: 3, days: 2, users: 1, ..small() };
    assert_eq!(generate(&folder.0, &tiny, &mut |_| {}).unwrap().events, 3);
    assert!(matches!(refuse(&tiny), GenerateError::Occupied { .. }));
}
