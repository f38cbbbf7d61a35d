//! Folders that are hard to read and full of coincidences, for proptest.
//!
//! Values come from small pools (`pools`), so that identities, times and names collide; records
//! are written in every form the rules allow (`render`); a share of them is damaged (`damage`).
//! What shrinks, shrinks towards few, plain and whole.

use std::fmt;
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

mod damage;
mod pools;
mod render;

use damage::{FileWound, Wound};
use render::{Encoding, FileForm, RecordForm};

/// A record as written: keys, and values as raw JSON. Keys may repeat.
type Members = Vec<(String, String)>;

/// Records damaged where no share is asked for.
const USUAL_DAMAGE: f64 = 0.05;

/// The files of a folder of songs and a folder of logs: path below it, bytes as stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) songs: Vec<(String, Vec<u8>)>,
    pub(crate) logs: Vec<(String, Vec<u8>)>,
}

impl fmt::Debug for Files {
    /// The decompressed bytes, escaped: what a person needs to see of a failing case.
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
            fs::create_dir_all(path.parent().expect("a file lies in a folder"))
                .expect("the folder can be made");
            fs::write(path, stored).expect("the file can be written");
        }
    }
}

/// A folder of which a few records are damaged.
pub(crate) fn awkward_folder() -> impl Strategy<Value = Files> {
    awkward_folder_with(USUAL_DAMAGE)
}

/// A folder of which about this share of the records, and of the files, is damaged. With 0 every
/// record is accepted.
pub(crate) fn awkward_folder_with(damage: f64) -> impl Strategy<Value = Files> {
    let songs = kind_of_files(Kind::Song, damage);
    let logs = kind_of_files(Kind::Event, damage);
    (songs, logs).prop_map(|(songs, logs)| Files { songs, logs })
}

/// Which of the two folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Song,
    Event,
}

/// How a record relates to one before it.
#[derive(Debug, Clone)]
enum Kin {
    Stranger,
    /// It says the same.
    Copy(Index),
    /// It has the same identity and says something else.
    Namesake(Index),
}

/// All that is decided about one record.
#[derive(Debug, Clone)]
struct Draft {
    members: Members,
    kin: Kin,
    extra: Option<(String, String)>,
    repeated: Option<(Index, Members, bool)>,
    form: RecordForm,
    wound: Option<Wound>,
}

/// All that is decided about one file.
#[derive(Debug, Clone)]
struct FileDraft {
    drafts: Vec<Draft>,
    form: FileForm,
    encoding: Encoding,
    wound: Option<FileWound>,
}

fn kind_of_files(kind: Kind, damage: f64) -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let file = (
        vec(draft(kind, damage), 0..=12),
        render::file_form(),
        render::encoding(),
        at_times(damage, damage::file_wound()),
    )
        .prop_map(|(drafts, form, encoding, wound)| FileDraft {
            drafts,
            form,
            encoding,
            wound,
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
    let kin = prop_oneof![
        6 => Just(Kin::Stranger),
        1 => any::<Index>().prop_map(Kin::Copy),
        2 => any::<Index>().prop_map(Kin::Namesake),
    ];
    let repeated = (any::<Index>(), pools::members(kind), any::<bool>());
    (
        pools::members(kind),
        kin,
        proptest::option::weighted(0.1, pools::extra()),
        proptest::option::weighted(0.1, repeated),
        render::record_form(),
        at_times(damage, damage::wound(kind)),
    )
        .prop_map(|(members, kin, extra, repeated, form, wound)| Draft {
            members,
            kin,
            extra,
            repeated,
            form,
            wound,
        })
}

/// Damage in this share of the cases, from none to nearly all.
fn at_times<T: Clone + fmt::Debug + 'static>(
    share: f64,
    damage: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if share <= 0.0 {
        return Just(None).boxed();
    }
    proptest::option::weighted(share.min(0.99), damage).boxed()
}

/// Names and folders that are not read, holding what would be noticed if they were.
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
    let mut bytes = file.form.join(&records);
    if let Some(wound) = &file.wound {
        wound.inflict(&mut bytes);
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
    match &draft.kin {
        Kin::Copy(which) if !earlier.is_empty() => members.clone_from(which.get(earlier)),
        Kin::Namesake(which) if !earlier.is_empty() => {
            let identity = pools::identity(kind);
            members.retain(|(key, _)| !identity.contains(&key.as_str()));
            let theirs = which.get(earlier).iter();
            members.extend(theirs.filter(|(key, _)| identity.contains(&key.as_str())).cloned());
        }
        _ => {}
    }
    earlier.push(members.clone());
    if let Some((which, other, first)) = &draft.repeated {
        // Of a key that stands twice the last value counts: in front it must lose.
        let place = if *first { 0 } else { members.len() };
        members.insert(place, which.get(other).clone());
    }
    members.extend(draft.extra.clone());
    match &draft.wound {
        Some(Wound::Member(key, value)) => {
            members.retain(|(name, _)| name != key);
            members.extend(value.clone().map(|value| (key.clone(), value)));
            draft.form.write(&members)
        }
        Some(Wound::Bytes(wound)) => {
            let mut bytes = draft.form.write(&members);
            wound.inflict(&mut bytes);
            bytes
        }
        None => draft.form.write(&members),
    }
}
