//! A month of loads: half of it, a killed load, a rewritten day, the rest in reverse order. The
//! result equals one load of the same files.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::support::{run, sparkify};

const ETL: [&str; 5] = ["etl", "--song-data", "all/song_data", "--log-data", "logs"];
const DAYS: usize = 30;

fn generate(folder: &Path, out: &str, seed: &str) {
    let size = ["--songs", "300", "--events", "90000", "--days", "30", "--users", "300"];
    run(folder, ["generate", out, "--seed", seed, "--quiet"].into_iter().chain(size)).good();
}

/// Returns the file name of a day, counted from 1.
fn day(number: usize) -> String {
    format!("2018-11-{number:02}-events.json")
}

fn add_day(folder: &Path, sample: &str, number: usize) {
    let file = day(number);
    let from = folder.join(sample).join("log_data/2018/11").join(&file);
    std::fs::create_dir_all(folder.join("logs")).unwrap();
    std::fs::copy(from, folder.join("logs").join(file)).unwrap();
}

#[test]
fn a_month_of_loads_with_a_kill_and_a_rewrite_equals_one_load() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    generate(here, "all", "1");
    generate(here, "other", "2");
    for number in 1..=15 {
        add_day(here, "all", number);
    }
    run(here, ETL).good();

    add_day(here, "all", 16);
    let mut killed = sparkify(here, ETL.into_iter().chain(["-v"]));
    let mut killed = killed.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let stderr = BufReader::new(killed.stderr.take().unwrap());
    assert!(stderr.lines().any(|line| line.unwrap().trim_end().ends_with("INFO songplays")));
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success());

    add_day(here, "other", 3);
    for number in (16..=DAYS).rev() {
        add_day(here, "all", number);
        run(here, ETL).good();
    }
    run(here, ["check", "--quiet"]).good();

    let fresh = ["--warehouse", "duckdb:fresh.duckdb"];
    run(here, ETL.into_iter().chain(fresh)).good();
    let both = ["diff", "duckdb:sparkify.duckdb", "duckdb:fresh.duckdb", "--output", "json"];
    let found = run(here, both).json();
    assert_eq!(found["equal"], true);
    assert!(found["tables"][4]["rows"][0].as_u64().unwrap() > 70_000, "{found}");
    let loads = "select count(*), max(kind) from etl_loads where outcome = 'published'";
    let history = run(here, ["query", "--format", "csv", loads]).good();
    // The killed day is loaded with the next one, so its own turn loads nothing.
    assert_eq!(history.lines().nth(1), Some("15,incremental"));
}
