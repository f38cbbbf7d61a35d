//! Shared helpers of the tests: the binary, input folders, and access to warehouses.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use sparkify::connect;
use sparkify_config::{Flags, Settings};
use sparkify_load::pipeline::{self, EtlError, Request, Summary};
use sparkify_warehouse::{Access, Value, Warehouse, WarehouseError};

use crate::oracle;

/// Prefixes of warehouse URLs, each with the `dwh.cfg` that they need.
static CONFIGURED: Mutex<Vec<(String, PathBuf)>> = Mutex::new(Vec::new());

/// Uses this `dwh.cfg` for every warehouse whose URL has this prefix.
#[cfg(feature = "redshift")]
pub(crate) fn configure(start: String, config: PathBuf) {
    CONFIGURED.lock().unwrap().push((start, config));
}

fn config_of(url: &str) -> Option<PathBuf> {
    let configured = CONFIGURED.lock().unwrap();
    // A port may have belonged to another server, whose folder is removed.
    let found = configured
        .iter()
        .find(|(start, config)| url.starts_with(start.as_str()) && config.exists());
    found.map(|(_, config)| config.clone())
}

/// Returns a command of the program without configuration other than the test's.
pub(crate) fn sparkify<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sparkify"));
    let arguments: Vec<S> = arguments.into_iter().collect();
    let configs = arguments.iter().filter_map(|argument| config_of(argument.as_ref().to_str()?));
    let config = configs.last();
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env("NO_COLOR", "1");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SPARKIFY_")) {
        command.env_remove(name);
    }
    if let Some(config) = config {
        command.env("SPARKIFY_CONFIG", config);
    }
    // The PostgreSQL server of the tests is used by its superuser.
    command.env("SPARKIFY_ALLOW_SUPERUSER", "1");
    command
}

/// Returns every file below a folder, in order.
pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] });
    let mut found: Vec<PathBuf> = found.collect();
    found.sort();
    found
}

/// Compresses bytes with gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Ended {
    Ended::from(sparkify(folder, arguments).output().expect("the program starts"))
}

/// Runs a command to its end and returns its peak resident memory in KiB.
pub(crate) fn peak_of(mut command: Command) -> (u64, Output) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = high.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or_default());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (peak, child.wait_with_output().unwrap())
}

/// Result of a finished command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

impl Ended {
    /// Returns standard output; asserts that the command succeeded.
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// Returns standard error; asserts that the command failed with `code`.
    pub(crate) fn bad(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self.err
    }

    /// Returns standard output as JSON.
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.good()).expect("the answer is JSON")
    }
}

/// Runs a query of one value and returns it as CSV.
pub(crate) fn query_value(folder: &Path, sql: &str) -> String {
    let csv = run(folder, ["query", "--format", "csv", sql]).good();
    csv.lines().nth(1).unwrap_or_default().to_owned()
}

/// Runs `sparkify shell` with `text` on its standard input.
pub(crate) fn run_shell(folder: &Path, arguments: &[&str], text: &str) -> Ended {
    let mut command = sparkify(folder, ["shell"].iter().chain(arguments));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // After an error, the shell reads no more.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    Ended::from(child.wait_with_output().unwrap())
}

/// Returns a profile of `verify` with one query.
pub(crate) fn profile(statement: &str) -> String {
    format!(
        "title = \"t\"\n[[expect]]\nname = \"n\"\nsays = \"s\"\nquery = {statement:?}\nvalue = 1\n"
    )
}

/// Returns the request for the files below `data`.
pub(crate) fn request(data: &Path, max_reject_share: f64) -> Request {
    let part = |name: &str| {
        let path = data.join(name);
        path.exists().then(|| path.to_str().expect("a path of UTF-8").to_owned())
    };
    Request { max_reject_share, ..Request::new(part("song_data"), part("log_data")) }
}

/// Loads `data/song_data` and `data/log_data` within the test process.
pub(crate) fn load(
    warehouse: &mut dyn Warehouse,
    data: &Path,
    max_reject_share: f64,
) -> Result<Summary, EtlError> {
    load_as(warehouse, &request(data, max_reject_share))
}

/// Runs one load.
pub(crate) fn load_as(
    warehouse: &mut dyn Warehouse,
    request: &Request,
) -> Result<Summary, EtlError> {
    pipeline::etl(warehouse, request, pipeline::list(request, &Arc::default())?)
}

/// Opens a `DuckDB` warehouse at `path`, which may be `:memory:`.
pub(crate) fn duckdb(path: &str) -> Box<dyn Warehouse> {
    open(&format!("duckdb:{path}"), Access::Write).expect("a warehouse")
}

/// Opens the warehouse at `url`.
pub(crate) fn open(url: &str, access: Access) -> Result<Box<dyn Warehouse>, WarehouseError> {
    let (warehouse, threads) = (Some(url.to_owned()), Some("2".into()));
    let config = config_of(url);
    let flags = Flags { warehouse, threads, config, allow_superuser: true, ..Flags::default() };
    connect::open(&Settings::resolve(&flags).expect("settings"), access)
}

/// Returns the sorted rows of a table, as the oracle writes them.
pub(crate) fn rows(
    warehouse: &mut dyn Warehouse,
    table: &str,
    columns: &[&str],
) -> Vec<Vec<String>> {
    // A word that some engine reserves is quoted.
    let column =
        |name: &&str| if *name == "raw" { "\"raw\"".to_owned() } else { (*name).to_owned() };
    let columns: Vec<String> = columns.iter().map(column).collect();
    let sql = format!("select {} from {table}", columns.join(", "));
    let answer = warehouse.query(&sql, &[], usize::MAX).expect("a query");
    let cell = |value: &Value| match value {
        Value::Null => oracle::cell::NULL.to_owned(),
        value => value.to_string(),
    };
    let mut rows: Vec<Vec<String>> =
        answer.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    rows.sort();
    rows
}

/// Returns every model table.
pub(crate) fn model(warehouse: &mut dyn Warehouse) -> BTreeMap<&'static str, Vec<Vec<String>>> {
    oracle::COLUMNS
        .iter()
        .map(|(table, columns)| (*table, rows(warehouse, table, columns)))
        .collect()
}

/// Asserts that two models are equal; shows the first differing rows.
pub(crate) fn assert_same_model(
    ours: &BTreeMap<&'static str, Vec<Vec<String>>>,
    theirs: &BTreeMap<&'static str, Vec<Vec<String>>>,
    context: &str,
) {
    for (table, expected) in theirs {
        let found = &ours[table];
        let missing: Vec<_> = expected.iter().filter(|row| !found.contains(row)).take(3).collect();
        let extra: Vec<_> = found.iter().filter(|row| !expected.contains(row)).take(3).collect();
        assert!(
            found == expected,
            "{table}, {context}: {} rows, expected {}\nmissing {missing:#?}\nextra {extra:#?}",
            found.len(),
            expected.len()
        );
    }
}

/// Returns the arguments of a load of `data/song_data` and `data/log_data` with a JSON summary.
pub(crate) fn etl_of(data: &Path) -> Vec<String> {
    let path = |part: &str| data.join(part).to_str().expect("a path of UTF-8").to_owned();
    let [songs, logs] = [path("song_data"), path("log_data")];
    let arguments = ["etl", "--output", "json", "--song-data", &songs, "--log-data", &logs];
    arguments.map(str::to_owned).into()
}

/// `JSONPaths` file of the course.
pub(crate) const JSON_PATHS: &str = r#"{"jsonpaths": ["$['artist']", "$['auth']", "$['firstName']", "$['gender']", "$['itemInSession']",
    "$['lastName']", "$['length']", "$['level']", "$['location']", "$['method']", "$['page']", "$['registration']",
    "$['sessionId']", "$['song']", "$['status']", "$['ts']", "$['userAgent']", "$['userId']"]}"#;

/// Returns one valid event as a line.
pub(crate) fn event(session: u32, item: u32, ts: u64, page: &str, song: &str) -> String {
    format!(
        "{{\"artist\":\"Band\",\"auth\":\"Logged In\",\"firstName\":\"Ada\",\"gender\":\"F\",\"itemInSession\":{item},\
         \"lastName\":\"Day\",\"length\":200.5,\"level\":\"free\",\"location\":\"Here\",\"method\":\"PUT\",\"page\":\"{page}\",\
         \"registration\":1540919166796.0,\"sessionId\":{session},\"song\":\"{song}\",\"status\":200,\"ts\":{ts},\
         \"userAgent\":\"x\",\"userId\":\"7\"}}\n"
    )
}

/// Returns one valid song record.
pub(crate) fn song(id: &str, title: &str, duration: f64) -> String {
    format!(
        "{{\"num_songs\":1,\"artist_id\":\"AR1\",\"artist_latitude\":null,\"artist_longitude\":null,\"artist_location\":\"\",\
         \"artist_name\":\"Band\",\"song_id\":\"{id}\",\"title\":\"{title}\",\"duration\":{duration},\"year\":0}}"
    )
}

/// Writes a file below `folder`, and creates its folders.
pub(crate) fn put(folder: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(&path, content).expect("a file");
    // A configuration file may contain passwords, so it is private.
    #[cfg(unix)]
    if path.extension().is_some_and(|extension| extension == "cfg") {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("permissions");
    }
}

/// Parses a time such as `2018-11-05T10:00:00`, UTC, into seconds since 1970.
pub(crate) fn seconds_of(moment: &str) -> i64 {
    let mut parts = moment.split(['-', 'T', ':']).map(|part| part.parse::<i64>().expect("digits"));
    let mut next = || parts.next().expect("a part");
    let (year, month, day) = (next(), next(), next());
    let month = time::Month::try_from(u8::try_from(month).expect("a month")).expect("a month");
    let (year, day) = (i32::try_from(year).expect("a year"), u8::try_from(day).expect("a day"));
    let midnight = time::Date::from_calendar_date(year, month, day).expect("a day").midnight();
    midnight.assume_utc().unix_timestamp() + next() * 3600 + next() * 60 + next()
}

/// Creates a folder with input files and a warehouse into which four plays of one song are
/// loaded.
pub(crate) fn loaded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    let events =
        (0..4).map(|item| event(1, item, 1_541_376_000_796 + u64::from(item), "NextSong", "One"));
    put(folder.path(), "data/log_data/e.json", events.collect::<String>());
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];
    run(folder.path(), etl).good();
    folder
}
