//! Input that the program generates, loaded by the program: the counts that the generator promises are the counts that arrive.

use std::path::Path;

use serde_json::Value;

use crate::oracle;
use crate::support::{assert_same_model, duckdb, load, model, run};

fn generate(folder: &Path, awkward: bool) -> Value {
    let mut arguments =
        vec!["generate", "data", "--songs", "400", "--events", "20000", "--days", "14"];
    arguments.extend(["--users", "150", "--seed", "11", "--output", "json"]);
    if awkward {
        arguments.push("--awkward");
    }
    run(folder, arguments).json()
}

#[test]
fn what_is_generated_arrives_plain_and_awkward() {
    for awkward in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let made = generate(folder.path(), awkward);
        let data = folder.path().join("data");
        let mut warehouse = duckdb(":memory:");
        let summary = load(warehouse.as_mut(), &data, 0.01).unwrap();
        let number = |name: &str| made[name].as_u64().unwrap();
        assert_eq!(summary.objects_read, number("song_objects") + number("log_objects"));
        assert_eq!(summary.events_staged, number("events"));
        assert_eq!(summary.songs_staged, number("song_records"));
        assert_eq!(summary.rejected, number("damaged"));
        assert_eq!(summary.duplicates, number("duplicates"));
        assert_eq!(summary.rows("songplays"), number("plays") - number("duplicates"));
        let (songs, logs) = (data.join("song_data"), data.join("log_data"));
        let expected = oracle::expected(Some(&songs), Some(&logs));
        assert_same_model(&model(warehouse.as_mut()), &expected.tables, "a generated sample");
    }
}

#[test]
fn the_same_seed_is_the_same_input() {
    let digest = |folder: &Path| {
        generate(folder, true);
        let listed = std::process::Command::new("sh")
            .args(["-c", "find data -type f | sort | xargs sha256sum"])
            .current_dir(folder)
            .output();
        listed.unwrap().stdout
    };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(digest(one.path()), digest(two.path()));
    let words = run(one.path(), ["generate", "data"]).bad(2);
    assert!(words.contains("is not empty") && words.contains("hint:"), "{words}");
}
