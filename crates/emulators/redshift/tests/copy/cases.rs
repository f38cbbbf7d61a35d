//! Runs the cases of `cases/`, one test per file. `cases/README.md` documents their format.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use redshift_emulator::copy::{LoadError, LoadFailure, Loaded};
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
    /// Behavior that no page documents.
    assumed: Option<String>,
    columns: Vec<String>,
    #[serde(default)]
    column_list: String,
    #[serde(default = "default_from")]
    from: String,
    #[serde(default = "default_options")]
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
    message: Option<String>,
    failure: Option<String>,
}

fn default_from() -> String {
    "in/".to_owned()
}

fn default_options() -> String {
    "format as json 'auto'".to_owned()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/copy/cases")
}

fn cases(name: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join(name)).expect("cannot read the cases");
    toml::from_str::<File>(&text).unwrap_or_else(|error| panic!("{name}: {error}")).case
}

impl Case {
    /// Replaces all objects of the server with those of the case.
    fn put_objects(&self, server: &Server) {
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
            let bytes: Vec<u8> = pairs
                .map(|pair| u8::from_str_radix(pair, 16).expect("invalid hex digits"))
                .collect();
            server.put(key, bytes);
        }
        for (fill, sizes) in [("x", &self.sized), ("|", &self.piped)] {
            for (key, size) in sizes {
                let text = fill.repeat(size - r#"{"a":""}"#.len());
                server.put(key, format!("{{\"a\":\"{text}\"}}"));
            }
        }
    }

    /// Runs the case; returns the differences from the expected result.
    fn differences(&self, server: &Server) -> Vec<String> {
        self.put_objects(server);
        let (list, from, options) = (&self.column_list, &self.from, &self.options);
        let statement =
            format!("copy t {list} from 's3://{BUCKET}/{from}' iam_role '{ROLE}' {options};");
        let declared: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let outcome = load(&store(server), &statement, &columns(&declared));
        let mut found = Vec::new();
        let mut compare =
            |what: &str, expected: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
                let (expected, got) = (format!("{expected:?}"), format!("{got:?}"));
                if expected != got {
                    found.push(format!(
                        "{}: {what}\n  expected {expected}\n  got      {got}",
                        self.name
                    ));
                }
            };
        let errors = match &outcome {
            Ok(Loaded { errors, .. }) | Err(LoadFailure { errors, .. }) => errors,
        };
        let error_rows: Vec<String> = errors.iter().map(format_error).collect();
        compare("errors", &self.errors, &error_rows);
        if let Some(message) = &self.message {
            let first = errors.first().map(|error| error.error_message.clone()).unwrap_or_default();
            compare("message", &true, &first.contains(message.as_str()));
        }
        match (&outcome, &self.failure) {
            (Ok(loaded), None) => {
                let rows: Vec<String> = loaded.rows.iter().map(|row| format_row(row)).collect();
                compare("rows", &self.rows.clone().unwrap_or_default(), &rows);
            }
            (Err(failure), Some(message)) => {
                compare(&failure.message, &true, &failure.message.contains(message.as_str()));
            }
            (Ok(_), Some(message)) => compare("outcome", message, &"successful load"),
            (Err(failure), None) => compare("outcome", &"successful load", &failure.message),
        }
        found
    }
}

/// Formats a row as in the key `rows` of a case.
fn format_row(row: &[Option<String>]) -> String {
    let values = row.iter().map(|value| value.as_deref().unwrap_or("∅"));
    values.collect::<Vec<_>>().join("|")
}

/// Formats an error as in the key `errors` of a case.
fn format_error(error: &LoadError) -> String {
    let key = error.file_name.strip_prefix("s3://bucket/").unwrap_or(&error.file_name);
    let column = if error.column_name.is_empty() { "-" } else { &error.column_name };
    format!("{key}:{} {} {column}", error.line_number, error.error_code)
}

/// Runs all cases of a file.
fn run_cases(name: &str) {
    let server = Server::start();
    let cases = cases(name);
    let assumed = cases.iter().filter(|case| case.assumed.is_some()).count();
    for case in &cases {
        let has_expectation =
            case.rows.is_some() || !case.errors.is_empty() || case.failure.is_some();
        assert!(has_expectation, "{}: the case has no expected result", case.name);
        let has_source =
            case.page.contains(".html") || case.page == "none" && case.assumed.is_some();
        assert!(has_source, "{}: the case has neither page nor assumption", case.name);
    }
    let differences: Vec<String> =
        cases.iter().flat_map(|case| case.differences(&server)).collect();
    assert!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
    println!("{name}: {} cases, {assumed} with undocumented behavior", cases.len());
}

macro_rules! files {
    ($($test:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                run_cases(concat!(stringify!($test), ".toml"));
            }
        )*

        #[test]
        fn every_case_file_has_a_test() {
            let tested = [$(concat!(stringify!($test), ".toml")),*];
            for entry in std::fs::read_dir(folder()).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(name == "README.md" || tested.contains(&name.as_str()), "{name}");
            }
        }
    };
}

files!(keys, paths, records, sources, statements, text, times, values);
