//! Repository checks that a compiler does not make: where SQL and engine names may occur, which SQL
//! files are listed, and the length of files. Cargo enforces the boundaries between crates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sparkify_warehouse::Opening;

/// Crates that must not name an engine: differences are capabilities or dialect files.
const ENGINE_NEUTRAL: &[&str] = &["aws", "source", "reader", "load", "analytics", "sample-data"];
const ENGINES: &[&str] = &["duckdb", "postgres", "redshift"];
const SQL_WORDS: &[&str] = &[
    "select ",
    "insert ",
    "update ",
    "delete ",
    "create ",
    "drop ",
    "alter ",
    "copy ",
    "merge ",
    "truncate ",
    "begin",
    "commit",
    "rollback",
    "with ",
];
/// Crates about SQL, which have statements in strings.
const SQL_CRATES: &[&str] = &["emulators", "redshift-lint"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn files(below: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(below)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no file below {below}");
    found
}

/// Returns the Rust files of `crates/*/src`, with the name of their crate's folder.
fn sources() -> Vec<(String, PathBuf)> {
    let named = files("crates", "rs").into_iter().filter_map(|path| {
        let below = path.strip_prefix(root().join("crates")).unwrap().to_owned();
        let mut parts = below.components().map(|part| part.as_os_str().to_str().unwrap());
        let name = parts.next()?.to_owned();
        parts.any(|part| part == "src").then_some((name, path))
    });
    named.collect()
}

/// Returns the code of a file, without its comments and its tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn statements_are_in_sql_files_only() {
    // These parsers recognize statements by their first words.
    let parsers =
        ["sql", "dialect"].map(|name| root().join(format!("crates/warehouse/src/{name}.rs")));
    for (name, path) in sources() {
        if SQL_CRATES.contains(&name.as_str()) || parsers.contains(&path) {
            continue;
        }
        for literal in string_literals(&code(&path)) {
            let start = literal.trim_start().to_lowercase();
            let found = SQL_WORDS.iter().find(|word| start.starts_with(*word));
            // English sentences may start with these words too. A statement names a table or ends
            // here.
            let is_statement = |word: &str| {
                let rest = &start[word.len()..];
                word.ends_with(' ')
                    && ["from ", "into ", " as ", "table ", "set "]
                        .iter()
                        .any(|mark| rest.contains(mark))
                    || !word.ends_with(' ') && rest.trim_matches([';', ' ']) == "transaction"
            };
            assert!(
                !found.is_some_and(|word| is_statement(word)),
                "{}: a statement in a string: {literal}",
                path.display()
            );
        }
    }
}

fn string_literals(code: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find('"') {
        if rest[..start].ends_with('\'') || rest[..start].ends_with("b'") {
            rest = &rest[start + 1..];
            continue;
        }
        let mut end = start + 1;
        let bytes = rest.as_bytes();
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        literals.push(rest[start + 1..end.min(rest.len())].to_owned());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    literals
}

#[test]
fn engine_neutral_crates_name_no_engine() {
    let mut seen = 0;
    for (name, path) in sources() {
        if !ENGINE_NEUTRAL.contains(&name.as_str()) {
            continue;
        }
        seen += 1;
        let code = code(&path).to_lowercase();
        for engine in ENGINES {
            assert!(!code.contains(engine), "{} names `{engine}`", path.display());
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn every_sql_file_is_listed_and_well_formed() {
    let code: String = sources().iter().map(|(_, path)| code(path)).collect();
    let mut listed: BTreeMap<String, u32> = BTreeMap::new();
    for part in code.split(" mod ").skip(1) {
        let Some((folder, rest)) = part
            .split_once(" in \"")
            .filter(|(module, _)| module.chars().all(|c| c.is_alphanumeric() || c == '_'))
            .and_then(|(_, rest)| rest.split_once("\" {"))
        else {
            continue;
        };
        for line in rest.split('}').next().unwrap().split(',') {
            if let Some((constant, name)) = line.split_once(" = \"") {
                let name = name.split('"').next().unwrap();
                assert_eq!(constant.trim(), name.to_uppercase(), "{folder}/{name}");
                *listed.entry(format!("{folder}/{name}")).or_default() += 1;
            }
        }
    }
    for path in files("sql", "sql") {
        let name = path.strip_prefix(root().join("sql")).unwrap().with_extension("");
        let name = name.to_str().unwrap();
        // Two crates may list a saved query.
        let times = listed.remove(name).unwrap_or_default();
        assert!(
            times >= 1 && (times == 1 || name.starts_with("report/")),
            "{name} is listed {times} times"
        );
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-- "), "{name} has no header");
        // A fragment is not a whole statement.
        let is_ended = text.ends_with(";\n") || name.starts_with("fragment/");
        assert!(is_ended && !text.contains('\t'), "{name} has a tab or no semicolon");
        assert!(
            !text.contains("select *") || text.contains("quality/") || allowed_star(name),
            "{name} selects *"
        );
        for call in text.split("/*include ").skip(1) {
            let fragment = call.split('(').next().unwrap();
            let fragment = root().join("sql/fragment").join(fragment).with_extension("sql");
            assert!(fragment.exists(), "{name}: there is no {}", fragment.display());
        }
        if name.starts_with("quality/") {
            assert!(text.starts_with("-- test: "), "{name} has no `test:` header");
        }
        if name.starts_with("report/") {
            assert!(text.starts_with("-- query: "), "{name} has no `query:` header");
        }
    }
    assert_eq!(listed.into_keys().collect::<Vec<_>>(), Vec::<String>::new(), "no such files");
}

fn allowed_star(name: &str) -> bool {
    // The star selects the columns of a CTE, or must select all.
    [
        "model/songplays",
        "quality/ranges_time",
        "dialect/duckdb/load",
        "dialect/postgres/check_insert",
        "transfer/rows",
    ]
    .contains(&name)
}

#[test]
fn the_drop_file_names_every_table() {
    let drop = std::fs::read_to_string(root().join("sql/load/drop.sql")).unwrap();
    for table in sparkify_load::tables::all() {
        assert!(drop.contains(&format!("drop table if exists {};", table.name)), "{}", table.name);
    }
}

#[test]
fn every_column_has_a_description() {
    let opening = Opening::full("duckdb");
    for table in sparkify_load::tables::all() {
        assert!(!table.columns(opening).is_empty(), "{}", table.name);
        for column in table.columns(opening) {
            assert!(!column.description.is_empty(), "{}.{}", table.name, column.name);
        }
    }
}

#[test]
fn files_are_short_enough_to_read() {
    for (_, path) in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no module documentation", path.display());
    }
    let tests = files("tests", "rs").into_iter();
    for path in sources().into_iter().map(|(_, path)| path).chain(tests) {
        let lines = code(&path).lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

/// Functions that stay in a schema, by their layout. They are replaced only by an upgrade.
const FUNCTIONS: [(i64, &str, &str); 2] = [
    (2, "postgres", "b96e321c572b49666e059fce9ebe6fc7"),
    (2, "redshift", "bb5cbda483aa6b35739d53128b776b60"),
];

#[test]
fn functions_change_only_with_the_layout() {
    use md5::{Digest, Md5};
    for (layout, engine, known) in FUNCTIONS {
        let path = root().join(format!("sql/dialect/{engine}/prelude.sql"));
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.split('\n').filter(|line| !line.starts_with("--")).collect();
        let digest: [u8; 16] = Md5::digest(lines.join("\n")).into();
        let found = format!("{:032x}", u128::from_be_bytes(digest));
        assert_eq!(
            (sparkify_load::layout::CURRENT.layout, found.as_str()),
            (layout, known),
            "functions of {engine} changed: after a release, add a migration"
        );
    }
}
