//! Data sets with known results: the fixture in this folder, and the course data if available.
//!
//! Each test crate that loads them includes this file as a module. The figures of the fixture were
//! counted with a Python script that shares no code with the program or with the oracle.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Input files, and the results of a full load of them.
pub(crate) struct DataSet {
    folder: fn() -> PathBuf,
    /// Name of the folder with its golden results, below `tests/it/snapshots`.
    pub(crate) name: &'static str,
    pub(crate) song_objects: u64,
    pub(crate) log_objects: u64,
    pub(crate) tables: [(&'static str, u64); 8],
    /// Plays recorded more than once.
    pub(crate) duplicates: u64,
    /// Plays by match method: none, `exact`, `title_artist`.
    pub(crate) matched: [u64; 3],
    /// Events without a user.
    pub(crate) logged_out: u64,
    /// Users with at least one play.
    pub(crate) listeners: u64,
    /// User with the most plays, and their number.
    pub(crate) top_user: (&'static str, u64),
    /// The two songs with the most plays; the second only if the text repair works.
    pub(crate) top_songs: [(&'static str, &'static str, u64); 2],
    /// Hour (UTC) and weekday (0 = Sunday) with the most plays, and their number.
    pub(crate) top_hour: (u8, u64),
    pub(crate) top_weekday: (u8, u64),
    pub(crate) paid: u64,
    pub(crate) free: u64,
    pub(crate) hours: &'static str,
    pub(crate) first_play: &'static str,
    /// Days of the first and of the last play, as the report page writes them.
    pub(crate) days: [&'static str; 2],
    /// User with three level periods.
    pub(crate) changing_user: &'static str,
    /// Plays whose song or artist is text encoded twice.
    pub(crate) repaired_plays: usize,
}

/// An invented music service in November 2018, with the oddities of the course data.
pub(crate) const FIXTURE: DataSet = DataSet {
    folder: || repository().join("tests/data/fixture"),
    name: "fixture",
    song_objects: 16,
    log_objects: 13,
    tables: [
        ("staging_events", 219),
        ("staging_songs", 17),
        ("songplays", 174),
        ("users", 10),
        ("user_levels", 13),
        ("songs", 16),
        ("artists", 11),
        ("time", 173),
    ],
    duplicates: 1,
    matched: [79, 84, 11],
    logged_out: 10,
    listeners: 9,
    top_user: ("12", 63),
    top_songs: [("It's Only Weather", "Mira Volkova", 41), ("Fjärran", "Björnsund", 23)],
    top_hour: (16, 74),
    top_weekday: (3, 59),
    paid: 128,
    free: 46,
    hours: "10.65",
    first_play: "2018-11-02 06:10:30.467",
    days: ["2 Nov 2018", "28 Nov 2018"],
    changing_user: "30",
    repaired_plays: 39,
};

/// The real event logs of the course, and the first 1,943 of its song objects.
pub(crate) const COURSE: DataSet = DataSet {
    folder: course,
    name: "course",
    song_objects: 1943,
    log_objects: 30,
    tables: [
        ("staging_events", 8056),
        ("staging_songs", 1944),
        ("songplays", 6820),
        ("users", 97),
        ("user_levels", 106),
        ("songs", 1943),
        ("artists", 1809),
        ("time", 6813),
    ],
    duplicates: 0,
    matched: [6779, 39, 2],
    logged_out: 286,
    listeners: 96,
    top_user: ("49", 689),
    top_songs: [("You're The One", "Dwight Yoakam", 37), ("Undo", "Björk", 28)],
    top_hour: (16, 542),
    top_weekday: (3, 1364),
    paid: 5591,
    free: 1229,
    hours: "467.99",
    first_play: "2018-11-01 21:01:46.796",
    days: ["1 Nov 2018", "30 Nov 2018"],
    changing_user: "15",
    repaired_plays: 326,
};

impl DataSet {
    /// Folder with `song_data`, `log_data` and `log_json_path.json`. Panics if it is not complete.
    pub(crate) fn folder(&self) -> PathBuf {
        let folder = (self.folder)();
        self.complete(&folder).unwrap_or_else(|problem| panic!("{problem}"));
        folder
    }

    pub(crate) fn objects(&self) -> u64 {
        self.song_objects + self.log_objects
    }

    /// Rows that a full load leaves in `table`.
    pub(crate) fn rows(&self, table: &str) -> u64 {
        self.tables.iter().find(|(name, _)| *name == table).expect("a table").1
    }

    fn complete(&self, folder: &Path) -> Result<(), String> {
        for (part, expected) in [
            ("song_data", self.song_objects),
            ("log_data", self.log_objects),
            ("log_json_path.json", 1),
        ] {
            let path = folder.join(part);
            let found = files(&path);
            if found != expected {
                let path = path.display();
                return Err(format!("found {found} JSON files in `{path}`, expected {expected}"));
            }
        }
        Ok(())
    }
}

/// Defines two tests for each function of a [`DataSet`]: on the fixture and on the course data.
///
/// The second is an ignored test, so that a run without the course data counts and names it.
/// `scripts/test.sh` includes ignored tests when it finds the data.
macro_rules! on_each_data_set {
    ($($test:ident),+ $(,)?) => {
        mod fixture {
            $(#[test]
            fn $test() {
                super::$test(&$crate::data::FIXTURE);
            })+
        }

        mod course_data {
            $(#[test]
            #[ignore = "needs the course data; `SPARKIFY_COURSE=FOLDER make test` runs it"]
            fn $test() {
                super::$test(&$crate::data::COURSE);
            })+
        }
    };
}
pub(crate) use on_each_data_set;

/// The root of the repository, of which the tests' crate is a part.
pub(crate) fn repository() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.find(|folder| folder.join("Cargo.lock").is_file()).expect("a workspace")
}

/// Folder of the course data, for a test that needs it.
fn course() -> PathBuf {
    let found = find_course(std::env::var_os("SPARKIFY_COURSE"), repository());
    let found = found.unwrap_or_else(|problem| panic!("{problem}"));
    found.expect("no course data: set SPARKIFY_COURSE to their folder")
}

/// Finds the course data: the folder that `SPARKIFY_COURSE` names (relative names start at the root
/// of the repository), else `../shared/data/course` if it exists.
pub(crate) fn find_course(
    named: Option<OsString>,
    repository: &Path,
) -> Result<Option<PathBuf>, String> {
    let named = named.filter(|name| !name.is_empty());
    let beside = repository.join("../shared/data/course");
    let folder = match named {
        Some(name) => repository.join(name),
        None if beside.is_dir() => beside,
        None => return Ok(None),
    };
    COURSE.complete(&folder).map_err(|problem| format!("incomplete course data: {problem}"))?;
    Ok(Some(folder))
}

/// Number of JSON files below `path`, or 1 if it is such a file itself.
fn files(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().map_while(Result::ok);
    let below: u64 = entries.map(|entry| files(&entry.path())).sum();
    let is_json = path.is_file() && path.extension().is_some_and(|extension| extension == "json");
    below + u64::from(is_json)
}
