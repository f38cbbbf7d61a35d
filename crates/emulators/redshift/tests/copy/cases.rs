//! The cases of `cases/`, one file a test. Their README says what stands in them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use redshift_emulator::copy::{Failure, LoadError, Loaded};
use s3_emulator::{BUCKET, Server};
use serde::Deserialize;

use crate::{ROLE, columns, load, store};

#[derive(Debug, Deserialize)]
struct File {
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    page: String,
    /// What no page says, and is done all the same.
    assumed: Option<String>,
    columns: Vec<String>,
    #[serde(default)]
    list: String,
    #[serde(default = "below")]
    from: String,
    #[serde(default = "auto")]
    options: String,
    #[serde(default)]
    objects: BTreeMap<String, String>,
    #[serde(default)]
    gzip: BTreeMap<String, String>,
    #[serde(default)]
    zstd: BTreeMap<String, String>,
    #[serde(default)]
    hex: BTreeMap<String, String>,
    #[serde(default)]
    sized: BTreeMap<String, usize>,
    #[serde(default)]
    piped: BTreeMap<String, usize>,
    rows: Option<Vec<String>>,
    #[serde(default)]
    errors: Vec<String>,
    says: Option<String>,
    fails: Option<String>,
}

fn below() -> String {
    "in/".to_owned()
}

fn auto() -> String {
    "format as json 'auto'".to_owned()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/copy/cases")
}

fn cases(name: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join(name)).expect("a file of cases");
    toml::from_str::<File>(&text).unwrap_or_else(|error| panic!("{name}: {error}")).case
}

impl Case {
    fn put(&self, server: &Server) {
        server.keys(BUCKET).iter().for_each(|key| server.remove(key));
        for (key, text) in &self.objects {
            server.put(key, text.clone());
        }
        for (key, text) in &self.gzip {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            server.put(key, encoder.finish().unwrap());
        }
        for (key, text) in &self.zstd {
            server.put(key, zstd::encode_all(text.as_bytes(), 1).unwrap());
        }
        for (key, digits) in &self.hex {
            let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
            let bytes: Vec<u8> =
                pairs.map(|pair| u8::from_str_radix(pair, 16).expect("two digits")).collect();
            server.put(key, bytes);
        }
        for (fill, sizes) in [("x", &self.sized), ("|", &self.piped)] {
            for (key, size) in sizes {
                let text = fill.repeat(size - r#"{"a":""}"#.len());
                server.put(key, format!("{{\"a\":\"{text}\"}}"));
            }
        }
    }

    /// What is not as the case says.
    fn differences(&self, server: &Server) -> Vec<String> {
        self.put(server);
        let (list, from, options) = (&self.list, &self.from, &self.options);
        let statement =
            format!("copy t {list} from 's3://{BUCKET}/{from}' iam_role '{ROLE}' {options};");
        let declared: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let outcome = load(&store(server), &statement, &columns(&declared));
        let mut found = Vec::new();
        let mut differ = |what: &str, expected: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            let (expected, got) = (format!("{expected:?}"), format!("{got:?}"));
            if expected != got {
                found.push(format!(
                    "{}: {what}\n  expected {expected}\n  got      {got}",
                    self.name
                ));
            }
        };
        let errors = match &outcome {
            Ok(Loaded { errors, .. }) | Err(Failure { errors, .. }) => errors,
        };
        let shown: Vec<String> = errors.iter().map(error).collect();
        differ("errors", &self.errors, &shown);
        if let Some(says) = &self.says {
            let first = errors.first().map(|error| error.error_message.clone()).unwrap_or_default();
            differ("message", &true, &first.contains(says.as_str()));
        }
        match (&outcome, &self.fails) {
            (Ok(loaded), None) => {
                let rows: Vec<String> = loaded.rows.iter().map(|row| shown_row(row)).collect();
                differ("rows", &self.rows.clone().unwrap_or_default(), &rows);
            }
            (Err(failure), Some(says)) => {
                differ(&failure.message, &true, &failure.message.contains(says.as_str()));
            }
            (Ok(_), Some(says)) => differ("outcome", says, &"it was loaded"),
            (Err(failure), None) => differ("outcome", &"it is loaded", &failure.message),
        }
        found
    }
}

fn shown_row(row: &[Option<String>]) -> String {
    let values = row.iter().map(|value| value.as_deref().unwrap_or("∅"));
    values.collect::<Vec<_>>().join("|")
}

fn error(error: &LoadError) -> String {
    let key = error.file_name.strip_prefix("s3://bucket/").unwrap_or(&error.file_name);
    let column = if error.column_name.is_empty() { "-" } else { &error.column_name };
    format!("{key}:{} {} {column}", error.line_number, error.error_code)
}

/// Every case of a file holds.
fn hold(name: &str) {
    let server = Server::start();
    let cases = cases(name);
    let assumed = cases.iter().filter(|case| case.assumed.is_some()).count();
    for case in &cases {
        let expects = case.rows.is_some() || !case.errors.is_empty() || case.fails.is_some();
        assert!(expects, "{}: it expects nothing", case.name);
        let pages = case.page.contains(".html") || case.page == "none" && case.assumed.is_some();
        assert!(pages, "{}: it names no page, and does not say what is assumed", case.name);
    }
    let differences: Vec<String> =
        cases.iter().flat_map(|case| case.differences(&server)).collect();
    assert!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
    println!("{name}: {} cases, {assumed} with something that no page says", cases.len());
}

macro_rules! files {
    ($($test:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                hold(concat!(stringify!($test), ".toml"));
            }
        )*

        #[test]
        fn every_file_of_cases_is_tried() {
            let tried = [$(concat!(stringify!($test), ".toml")),*];
            for entry in std::fs::read_dir(folder()).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(name == "README.md" || tried.contains(&name.as_str()), "{name}");
            }
        }
    };
}

files!(keys, paths, records, sources, statements, text, times, values);
