//! The rules of the house that a compiler does not hold: who imports whom, where SQL stands, where engines are named, how long a file is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Room -> rooms that it may import. `ARCHITECTURE.md` has the same table with the reasons.
const IMPORTS: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("aws", &["config"]),
    ("cluster", &["config"]),
    ("warehouse", &["aws", "config"]),
    ("source", &["aws", "config"]),
    ("stage", &["source", "warehouse"]),
    ("ledger", &["source", "warehouse"]),
    ("model", &["warehouse"]),
    ("quality", &["warehouse"]),
    ("report", &["warehouse"]),
    ("page", &["config", "report", "warehouse"]),
    ("rejects", &["stage", "warehouse"]),
    ("trace", &["source", "stage", "warehouse"]),
    ("dictionary", &["ledger", "model", "quality", "report", "stage", "tables", "warehouse"]),
    ("diff", &["model", "warehouse"]),
    ("doctor", &["config", "source", "warehouse"]),
    ("export", &["report", "warehouse"]),
    ("tables", &["ledger", "model", "report", "stage", "warehouse"]),
    (
        "pipeline",
        &["config", "ledger", "model", "quality", "source", "stage", "tables", "warehouse"],
    ),
    ("verify", &["config", "quality", "warehouse"]),
    ("generate", &[]),
    (
        "cli",
        &[
            "cluster",
            "config",
            "dictionary",
            "diff",
            "doctor",
            "export",
            "generate",
            "ledger",
            "model",
            "page",
            "pipeline",
            "quality",
            "rejects",
            "report",
            "source",
            "stage",
            "tables",
            "trace",
            "verify",
            "warehouse",
        ],
    ),
];

/// Rooms that may name an engine.
const ENGINE_ROOMS: &[&str] = &["warehouse", "cluster", "config", "cli", "lib"];
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

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
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

/// The room of a file of `src/`: its first folder, or its own name.
fn room(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file, without its comments and its tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = IMPORTS.iter().copied().collect();
    let mut seen = BTreeSet::new();
    for path in files("src", "rs") {
        let room = room(&path);
        if room == "main" || room == "lib" {
            continue;
        }
        let allowed =
            table.get(room.as_str()).unwrap_or_else(|| panic!("`{room}` is not in the table"));
        seen.insert(room.clone());
        for part in code(&path).split("crate::").skip(1) {
            let names: Vec<&str> = match part.strip_prefix('{') {
                // `use crate::{a::b, c}`: the names at the head of each item.
                Some(list) => {
                    let list = list.split("};").next().unwrap();
                    list.split(',').map(|item| item.trim().split("::").next().unwrap()).collect()
                }
                None => {
                    vec![part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()]
                }
            };
            for name in names.into_iter().filter(|name| table.contains_key(name) && *name != room) {
                assert!(
                    allowed.contains(&name),
                    "{}: `{room}` may not import `{name}`",
                    path.display()
                );
            }
        }
    }
    assert_eq!(seen.len(), IMPORTS.len(), "a room of the table is gone");
}

#[test]
fn sql_stands_in_sql_files_alone() {
    // That file knows the form of ours, and says no statement.
    let reader = root().join("src/warehouse/sql.rs");
    for path in files("src", "rs").into_iter().filter(|path| *path != reader) {
        for literal in string_literals(&code(&path)) {
            let start = literal.trim_start().to_lowercase();
            let found = SQL_WORDS.iter().find(|word| start.starts_with(*word));
            // Words of English begin sentences too; a statement names a table or ends here.
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
fn engines_are_named_where_they_are_known() {
    for path in
        files("src", "rs").into_iter().filter(|path| !ENGINE_ROOMS.contains(&room(path).as_str()))
    {
        let code = code(&path).to_lowercase();
        for engine in ENGINES {
            assert!(!code.contains(engine), "{} names `{engine}`", path.display());
        }
    }
}

#[test]
fn every_sql_file_is_listed_once_and_kept_in_form() {
    let code: String =
        files("src", "rs").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut listed: BTreeMap<String, u32> = BTreeMap::new();
    for list in code.split("sql_files![").skip(1) {
        let names: Vec<&str> =
            list.split(']').next().unwrap().split('"').skip(1).step_by(2).collect();
        for name in &names[1..] {
            *listed.entry(format!("{}/{name}", names[0])).or_default() += 1;
        }
    }
    for path in files("sql", "sql") {
        let name = path.strip_prefix(root().join("sql")).unwrap().with_extension("");
        let name = name.to_str().unwrap();
        // A question that the summary asks too is listed by both.
        let times = listed.get(name).copied().unwrap_or_default();
        assert!(
            times >= 1 && (times == 1 || name.starts_with("report/")),
            "{name} is listed {times} times"
        );
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-- "), "{name} has no header");
        // A fragment is a part of statements.
        let is_ended = text.ends_with(";\n") || name.starts_with("fragment/");
        assert!(is_ended && !text.contains('\t'), "{name} is out of form");
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
            assert!(text.starts_with("-- test: "), "{name} does not say what it tests");
        }
        if name.starts_with("report/") {
            assert!(text.starts_with("-- query: "), "{name} does not say what it answers");
        }
    }
}

fn allowed_star(name: &str) -> bool {
    // A CTE's own columns, passed on, or all there are.
    [
        "model/songplays",
        "quality/ranges_time",
        "dialect/duckdb/load",
        "dialect/postgres/check_insert",
        "diff/rows",
    ]
    .contains(&name)
}

/// A step or question that is asked for by name, in code, is one that is listed: there is no other to fall back to.
#[test]
fn what_is_asked_for_by_name_is_there() {
    let steps: BTreeSet<&str> = sparkify::pipeline::STEPS
        .iter()
        .chain(sparkify::report::QUESTIONS)
        .map(|file| file.name)
        .collect();
    let mut asked = 0;
    for path in files("src", "rs") {
        let code = code(&path);
        let by_call = code.split("step(\"").skip(1);
        for rest in by_call.chain(code.split("question.name == \"").skip(1)) {
            let name = rest.split('"').next().unwrap();
            assert!(steps.contains(name), "{}: no file is called `{name}`", path.display());
            asked += 1;
        }
    }
    assert!(asked > 10, "{asked}");
}

#[test]
fn the_drop_file_names_every_table() {
    let drop = std::fs::read_to_string(root().join("sql/load/drop.sql")).unwrap();
    for table in sparkify::tables::all() {
        assert!(drop.contains(&format!("drop table if exists {};", table.name)), "{}", table.name);
    }
}

#[test]
fn every_column_says_what_it_holds() {
    let opening = sparkify::warehouse::Opening { engine: "duckdb", incremental: false };
    for table in sparkify::tables::all() {
        assert!(!table.columns(opening).is_empty(), "{}", table.name);
        for column in table.columns(opening) {
            assert!(!column.description.is_empty(), "{}.{}", table.name, column.name);
        }
    }
}

#[test]
fn files_are_short_enough_to_read() {
    for path in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        let lines = code(&path).lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
        if path.starts_with(root().join("src")) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
        }
    }
    let main = std::fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 30);
}
