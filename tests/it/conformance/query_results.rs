//! Results on every engine: figures, golden query results and verification, compared with `DuckDB`.

use std::path::Path;

use super::{Engine, open};
use crate::data::{COURSE, DataSet};
use crate::oracle;
use crate::saved_queries::{golden_results_of, golden_results_of_empty};
use crate::support::{assert_same_model, etl_of, load, model, run};

/// Loads `data` into the warehouse at `url` and returns the summary.
fn etl(here: &Path, data: &Path, url: &str) -> serde_json::Value {
    let warehouse = ["--warehouse", url].map(str::to_owned);
    run(here, etl_of(data).into_iter().chain(warehouse)).json()
}

pub(crate) fn a_data_set_gives_its_figures(engine: &Engine, data: &DataSet) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let (here, url, other) = (folder.path(), place.url(), "duckdb:other.duckdb");
    for (outcome, read) in [("published", data.objects()), ("unchanged", 0)] {
        let summary = etl(here, &data.folder(), &url);
        assert_eq!(
            (&summary["outcome"], &summary["objects_read"]),
            (&outcome.into(), &read.into())
        );
        for (table, rows) in data.tables {
            assert_eq!(summary["tables"][table], rows, "{table}");
        }
    }
    let expected = oracle::expected_in(&data.folder());
    assert_same_model(&model(open(&url).as_mut()), &expected.tables, data.name);
    golden_results_of(data, &url);
    etl(here, &data.folder(), other);
    run(here, ["diff", &url, other]).good();
    for profile in ["strict", "course"] {
        let of = |url: &str| run(here, ["verify", "--profile", profile, "--warehouse", url]);
        let (actual, expected_output) = (of(&url), of(other));
        let of_data = profile == "strict" || data.name == COURSE.name;
        assert_eq!(actual.code, Some(i32::from(!of_data)), "{actual:?}");
        assert_eq!((&actual.out, &actual.err), (&expected_output.out, &expected_output.err));
    }
    for format in ["parquet", "csv", "json"] {
        for (url, out) in [(url.as_str(), "ours"), (other, "theirs")] {
            run(here, ["export", out, "--format", format, "--warehouse", url]).good();
        }
        let compared = std::process::Command::new("diff")
            .args(["-r", "ours", "theirs"])
            .current_dir(here)
            .output();
        let compared = compared.unwrap();
        assert!(
            compared.status.success(),
            "{format}: {}",
            String::from_utf8_lossy(&compared.stdout)
        );
    }
}

pub(crate) fn an_empty_warehouse_gives_the_golden_results(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let url = place.url();
    run(folder.path(), ["create-tables", "--warehouse", &url]).good();
    golden_results_of_empty(&url);
    run(folder.path(), ["check", "--warehouse", &url]).good();
    run(folder.path(), ["create-tables", "--warehouse", &url]).good();
}

pub(crate) fn awkward_input_gives_the_same_tables_as_duckdb(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let (here, url, other) = (folder.path(), place.url(), "duckdb:other.duckdb");
    let size = ["--songs", "300", "--events", "9000", "--days", "9", "--users", "80", "--awkward"];
    run(here, ["generate", "data"].into_iter().chain(size)).good();
    let data = here.join("data");
    // Some days are loaded later, so the second load rebuilds only a part of the model.
    let days = data.join("log_data/2018/11");
    let later = here.join("later");
    std::fs::create_dir(&later).unwrap();
    for day in ["2018-11-03-events.json", "2018-11-07-events.json"] {
        std::fs::rename(days.join(day), later.join(day)).unwrap();
    }
    for round in 0..2 {
        for url in [&url, other] {
            etl(here, &data, url);
        }
        run(here, ["diff", &url, other]).good();
        for command in [
            &["rejects", "list", "--limit", "100"][..],
            &["rejects", "list", "--output", "json"],
            &["query", "row_counts"],
            &["describe"],
        ] {
            let of =
                |url: &str| run(here, command.iter().copied().chain(["--warehouse", url])).good();
            // The ledger contains timestamps.
            let timeless = |text: String| {
                let words = text.split_whitespace().filter(|word| !word.contains(':'));
                words.map(str::to_owned).collect::<Vec<_>>()
            };
            if command[0] != "describe" {
                assert_eq!(timeless(of(&url)), timeless(of(other)), "{command:?}");
            }
        }
        if round == 0 {
            for day in std::fs::read_dir(&later).unwrap().map(|entry| entry.unwrap().file_name()) {
                std::fs::rename(later.join(&day), days.join(&day)).unwrap();
            }
        }
    }
    // The same files in one load into an empty warehouse.
    let fresh = place.url();
    etl(here, &data, &fresh);
    run(here, ["diff", &url, &fresh]).good();
    let mut warehouse = open(&url);
    let expected = oracle::expected_in(&data);
    assert_same_model(&model(warehouse.as_mut()), &expected.tables, "awkward input");
    assert!(load(warehouse.as_mut(), &data, 1.0).is_ok());
    drop(warehouse);
    // Reprocesses the rejected records, and traces a play to its source bytes.
    let replayed = run(here, ["rejects", "replay", "--output", "json", "--warehouse", &url]).json();
    assert!(replayed["rejected"].as_u64().unwrap() > 0, "{replayed}");
    run(here, ["diff", &url, other]).good();
    let play = run(
        here,
        [
            "query",
            "--format",
            "csv",
            "select cast(songplay_id as varchar) as id from songplays order by id limit 1",
            "--warehouse",
            &url,
        ],
    )
    .good();
    let play = play.lines().nth(1).unwrap();
    let trace =
        |url: &str| run(here, ["trace", play, "--output", "json", "--warehouse", url]).json();
    let (mut actual, mut expected_output) = (trace(&url), trace(other));
    for document in [&mut actual, &mut expected_output] {
        remove_load_metadata(document);
    }
    assert_eq!(actual, expected_output);
}

/// Removes the load number and the time of the load.
fn remove_load_metadata(document: &mut serde_json::Value) {
    match document {
        serde_json::Value::Object(map) => {
            map.remove("loaded_at");
            map.remove("load_id");
            map.values_mut().for_each(remove_load_metadata);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(remove_load_metadata),
        _ => {}
    }
}
