//! Generated folders for property tests, difficult to read and full of collisions.
//!
//! Values come from small pools (`pools`), so identities, times and names collide. Records are
//! written in every valid layout (`render`), and a share of them is damaged (`damage`). Shrinking
//! leads to few, plain, undamaged records.

use std::fmt;
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

mod damage;
mod pools;
mod render;

use damage::{Defect, FileDefect};
use render::{Encoding, FileStyle, RecordStyle};

/// Record as written: keys, which may repeat, and values as raw JSON.
type Members = Vec<(String, String)>;

/// Default share of damaged records.
const USUAL_DAMAGE: f64 = 0.05;

/// Files of a folder of songs and a folder of logs: path below it, bytes as stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) songs: Vec<(String, Vec<u8>)>,
    pub(crate) logs: Vec<(String, Vec<u8>)>,
}

impl fmt::Debug for Files {
    /// Prints the decompressed bytes, escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (folder, files) in [("song_data", &self.songs), ("log_data", &self.logs)] {
            for (path, stored) in files {
                let plain = super::files::inflated(stored).map_err(|_| fmt::Error)?;
                writeln!(f, "\n{folder}/{path}: b\"{}\"", plain.escape_ascii())?;
            }
        }
        Ok(())
    }
}

/// Writes the files to `song_data` and `log_data` below `dir`; both folders always exist.
pub(crate) fn write(files: &Files, dir: &Path) {
    for (folder, files) in [("song_data", &files.songs), ("log_data", &files.logs)] {
        let root = dir.join(folder);
        fs::create_dir_all(&root).expect("the folder can be made");
        for (path, stored) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent folder"))
                .expect("the folder can be made");
            fs::write(path, stored).expect("the file can be written");
        }
    }
}

/// Generates a folder with a few damaged records.
pub(crate) fn awkward_folder() -> impl Strategy<Value = Files> {
    awkward_folder_with(USUAL_DAMAGE)
}

/// Generates a folder with about this share of damaged records and files. With 0 every record is
/// accepted.
pub(crate) fn awkward_folder_with(damage: f64) -> impl Strategy<Value = Files> {
    let songs = kind_of_files(Kind::Song, damage);
    let logs = kind_of_files(Kind::Event, damage);
    (songs, logs).prop_map(|(songs, logs)| Files { songs, logs })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Song,
    Event,
}

/// Relation of a record to an earlier one.
#[derive(Debug, Clone)]
enum Relation {
    Unrelated,
    /// Equal in all members.
    Copy(Index),
    /// Equal in its key members only.
    SameKey(Index),
}

/// Parameters of one record.
#[derive(Debug, Clone)]
struct Draft {
    members: Members,
    relation: Relation,
    extra: Option<(String, String)>,
    repeated: Option<(Index, Members, bool)>,
    style: RecordStyle,
    defect: Option<Defect>,
}

/// Parameters of one file.
#[derive(Debug, Clone)]
struct FileDraft {
    drafts: Vec<Draft>,
    style: FileStyle,
    encoding: Encoding,
    defect: Option<FileDefect>,
}

fn kind_of_files(kind: Kind, damage: f64) -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let file = (
        vec(draft(kind, damage), 0..=12),
        render::file_style(),
        render::encoding(),
        sometimes(damage, damage::file_defect()),
    )
        .prop_map(|(drafts, style, encoding, defect)| FileDraft {
            drafts,
            style,
            encoding,
            defect,
        });
    let ignored = proptest::option::weighted(0.2, select(ignored_files(kind)));
    (vec(file, 1..=4), ignored).prop_map(move |(files, ignored)| {
        let mut earlier = Vec::new();
        let mut written: Vec<(String, Vec<u8>)> = files
            .iter()
            .enumerate()
            .map(|(number, file)| write_file(kind, number, file, &mut earlier))
            .collect();
        written.extend(ignored);
        written
    })
}

fn draft(kind: Kind, damage: f64) -> impl Strategy<Value = Draft> {
    let relation = prop_oneof![
        6 => Just(Relation::Unrelated),
        1 => any::<Index>().prop_map(Relation::Copy),
        2 => any::<Index>().prop_map(Relation::SameKey),
    ];
    let repeated = (any::<Index>(), pools::members(kind), any::<bool>());
    (
        pools::members(kind),
        relation,
        proptest::option::weighted(0.1, pools::extra()),
        proptest::option::weighted(0.1, repeated),
        render::record_style(),
        sometimes(damage, damage::defect(kind)),
    )
        .prop_map(|(members, relation, extra, repeated, style, defect)| Draft {
            members,
            relation,
            extra,
            repeated,
            style,
            defect,
        })
}

/// Generates a defect in this share of the cases, at most 99 %.
fn sometimes<T: Clone + fmt::Debug + 'static>(
    share: f64,
    damage: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if share <= 0.0 {
        return Just(None).boxed();
    }
    proptest::option::weighted(share.min(0.99), damage).boxed()
}

/// Files whose names are skipped; a test would notice their content.
fn ignored_files(kind: Kind) -> Vec<(String, Vec<u8>)> {
    let record = match kind {
        Kind::Song => {
            r#"{"song_id":"SOX","title":"x","artist_id":"ARX","artist_name":"x","duration":1}"#
        }
        Kind::Event => r#"{"ts":1,"page":"NextSong","sessionId":1,"itemInSession":1}"#,
    };
    [
        ("_SUCCESS", ""),
        (".DS_Store", "\u{0}\u{0}\u{0}\u{1}Bud1"),
        (".ipynb_checkpoints/a-checkpoint.json", record),
        ("A/_temporary/0/a.json", record),
        ("A/.a.json.swp", record),
        ("_a.json.gz", record),
    ]
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .to_vec()
}

fn write_file(
    kind: Kind,
    number: usize,
    file: &FileDraft,
    earlier: &mut Vec<Members>,
) -> (String, Vec<u8>) {
    let records: Vec<Vec<u8>> =
        file.drafts.iter().map(|draft| write_record(kind, draft, earlier)).collect();
    let mut bytes = file.style.join(&records);
    if let Some(defect) = &file.defect {
        defect.apply(&mut bytes);
    }
    let folder = match kind {
        Kind::Song => ["A/B/C/", "A/B/", "", "Z/Z/Z/"][number],
        Kind::Event => ["2018/11/", "2018/12/", "2019/01/", ""][number],
    };
    let ending = file.encoding.ending();
    (format!("{folder}part {number}-data.json{ending}"), file.encoding.encode(&bytes))
}

fn write_record(kind: Kind, draft: &Draft, earlier: &mut Vec<Members>) -> Vec<u8> {
    let mut members = draft.members.clone();
    match &draft.relation {
        Relation::Copy(which) if !earlier.is_empty() => members.clone_from(which.get(earlier)),
        Relation::SameKey(which) if !earlier.is_empty() => {
            let identity = pools::identity(kind);
            members.retain(|(key, _)| !identity.contains(&key.as_str()));
            let earlier_key = which.get(earlier).iter();
            members
                .extend(earlier_key.filter(|(key, _)| identity.contains(&key.as_str())).cloned());
        }
        _ => {}
    }
    earlier.push(members.clone());
    if let Some((which, other, first)) = &draft.repeated {
        // The last value of a repeated key counts, so one in front must have no effect.
        let place = if *first { 0 } else { members.len() };
        members.insert(place, which.get(other).clone());
    }
    members.extend(draft.extra.clone());
    match &draft.defect {
        Some(Defect::Member(key, value)) => {
            members.retain(|(name, _)| name != key);
            members.extend(value.clone().map(|value| (key.clone(), value)));
            draft.style.write(&members)
        }
        Some(Defect::Bytes(defect)) => {
            let mut bytes = draft.style.write(&members);
            defect.apply(&mut bytes);
            bytes
        }
        None => draft.style.write(&members),
    }
}
