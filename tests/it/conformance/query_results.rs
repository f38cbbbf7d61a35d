//! What people see: the contract's numbers, the golden answers, what is expected of the data; and no difference to another engine.

use std::path::Path;

use super::{Engine, open};
use crate::data::DataSet;
use crate::oracle;
use crate::saved_queries::{golden_of, golden_of_nothing};
use crate::support::{assert_same_model, etl_of, load, model, run};

/// Loads `data` at `url`, and returns the summary.
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
        let tables = summary["tables"].as_array().unwrap();
        for (table, rows) in data.tables {
            assert!(tables.contains(&serde_json::json!([table, rows])), "{table}: {tables:?}");
        }
    }
    let expected = oracle::expected_in(&data.folder());
    assert_same_model(&model(open(&url).as_mut()), &expected.tables, data.name);
    golden_of(data, &url);
    etl(here, &data.folder(), other);
    run(here, ["diff", &url, other]).good();
    for (profile, code) in [("strict", 0), ("course", 1)] {
        let of = |url: &str| run(here, ["verify", "--profile", profile, "--warehouse", url]);
        let (ours, theirs) = (of(&url), of(other));
        assert_eq!(ours.code, Some(code), "{ours:?}");
        assert_eq!((&ours.out, &ours.err), (&theirs.out, &theirs.err));
    }
    for form in ["parquet", "csv", "json"] {
        for (url, out) in [(url.as_str(), "ours"), (other, "theirs")] {
            run(here, ["export", out, "--format", form, "--warehouse", url]).good();
        }
        let compared = std::process::Command::new("diff")
            .args(["-r", "ours", "theirs"])
            .current_dir(here)
            .output();
        let compared = compared.unwrap();
        assert!(compared.status.success(), "{form}: {}", String::from_utf8_lossy(&compared.stdout));
    }
}

pub(crate) fn nothing_gives_the_golden_answers(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let url = place.url();
    run(folder.path(), ["create-tables", "--warehouse", &url]).good();
    golden_of_nothing(&url);
    run(folder.path(), ["check", "--warehouse", &url]).good();
    run(folder.path(), ["create-tables", "--warehouse", &url]).good();
}

pub(crate) fn awkward_input_is_the_same_as_elsewhere(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let (here, url, other) = (folder.path(), place.url(), "duckdb:other.duckdb");
    let size = ["--songs", "300", "--events", "9000", "--days", "9", "--users", "80", "--awkward"];
    run(here, ["generate", "data"].into_iter().chain(size)).good();
    let data = here.join("data");
    // Some days at first, the rest later: the model is made anew in part.
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
        for asked in [
            &["rejects", "list", "--limit", "100"][..],
            &["rejects", "list", "--output", "json"],
            &["query", "row_counts"],
            &["describe"],
        ] {
            let of =
                |url: &str| run(here, asked.iter().copied().chain(["--warehouse", url])).good();
            // The ledger tells of clocks.
            let timeless = |text: String| {
                let words = text.split_whitespace().filter(|word| !word.contains(':'));
                words.map(str::to_owned).collect::<Vec<_>>()
            };
            if asked[0] != "describe" {
                assert_eq!(timeless(of(&url)), timeless(of(other)), "{asked:?}");
            }
        }
        if round == 0 {
            for day in std::fs::read_dir(&later).unwrap().map(|entry| entry.unwrap().file_name()) {
                std::fs::rename(later.join(&day), days.join(&day)).unwrap();
            }
        }
    }
    // A second time, from nothing, in one load.
    let fresh = place.url();
    etl(here, &data, &fresh);
    run(here, ["diff", &url, &fresh]).good();
    let mut warehouse = open(&url);
    let expected = oracle::expected_in(&data);
    assert_same_model(&model(warehouse.as_mut()), &expected.tables, "awkward input");
    assert!(load(warehouse.as_mut(), &data, 1.0).is_ok());
    drop(warehouse);
    // What could not be used is read again, and a play leads back to its bytes.
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
    let (mut ours, mut theirs) = (trace(&url), trace(other));
    for document in [&mut ours, &mut theirs] {
        forget_loads(document);
    }
    assert_eq!(ours, theirs);
}

/// Leaves out when something was loaded, and by which load.
fn forget_loads(document: &mut serde_json::Value) {
    match document {
        serde_json::Value::Object(map) => {
            map.remove("loaded_at");
            map.remove("load_id");
            map.values_mut().for_each(forget_loads);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(forget_loads),
        _ => {}
    }
}
