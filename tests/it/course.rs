//! The real data, to the row: the numbers that the contract states.

use std::collections::BTreeMap;

use crate::oracle;
use crate::support::{assert_same_model, course, duckdb, load, model, run};

const EXPECTED: [(&str, u64); 8] = [
    ("staging_events", 8056),
    ("staging_songs", 1944),
    ("songplays", 6820),
    ("users", 97),
    ("user_levels", 106),
    ("songs", 1943),
    ("artists", 1809),
    ("time", 6813),
];

/// Without the data there is nothing to compare with: the test says so by its name in the output, and passes only if nobody claims it is there.
#[test]
fn the_program_gives_the_contract_numbers_the_second_time_too() {
    let Some(data) = course() else { return not_there() };
    let folder = tempfile::tempdir().unwrap();
    let (songs, logs) = (data.join("song_data"), data.join("log_data"));
    let etl = || {
        let paths = ["--song-data", songs.to_str().unwrap(), "--log-data", logs.to_str().unwrap()];
        run(folder.path(), ["etl", "--output", "json"].into_iter().chain(paths)).json()
    };
    for (outcome, read) in [("published", 1973), ("unchanged", 0)] {
        let summary = etl();
        assert_eq!(summary["outcome"], outcome);
        assert_eq!(summary["objects_read"], read);
        let tables: BTreeMap<String, u64> = summary["tables"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].as_u64().unwrap()))
            .collect();
        for (table, rows) in EXPECTED {
            assert_eq!(tables[table], rows, "{table}");
        }
        assert_eq!(tables["etl_loads"], 1);
        let matched =
            serde_json::json!([["not in the catalogue", 6779], ["exact", 39], ["title_artist", 2]]);
        assert_eq!(summary["matched"], matched);
        assert_eq!((&summary["duplicates"], &summary["rejected"]), (&0.into(), &0.into()));
    }
    let ask = |sql: &str| run(folder.path(), ["query", "--format", "csv", sql]).good();
    for (sql, answer) in [
        ("select user_id, count(*) from songplays group by 1 order by 2 desc limit 1", "49,689"),
        (
            "select hour, count(*) from songplays join time using (start_time) group by 1 order by 2 desc limit 1",
            "16,542",
        ),
        (
            "select weekday, count(*) from songplays join time using (start_time) group by 1 order by 2 desc limit 1",
            "3,1364",
        ),
        (
            "select song_title, artist_name, count(*) from songplays group by 1, 2 order by 3 desc limit 1 offset 1",
            "Undo,Björk,28",
        ),
        ("select round(sum(length) / 3600, 2) from songplays", "467.99"),
        ("select level, count(*) from songplays group by 1 order by 2 limit 1", "free,1229"),
        ("select count(*), count(distinct level) from user_levels where user_id = 15", "3,2"),
        ("select min(start_time) from songplays", "2018-11-01 21:01:46.796"),
    ] {
        assert_eq!(ask(sql).lines().nth(1), Some(answer), "{sql}");
    }
}

#[test]
fn every_row_of_the_model_is_the_oracles() {
    let Some(data) = course() else { return not_there() };
    let expected = oracle::expected(Some(&data.join("song_data")), Some(&data.join("log_data")));
    let mut warehouse = duckdb(":memory:");
    load(warehouse.as_mut(), &data, 0.0).unwrap();
    assert_same_model(&model(warehouse.as_mut()), &expected.tables, "course data");
}

pub(crate) fn not_there() {
    assert!(std::env::var_os("SPARKIFY_NEEDS_COURSE").is_none(), "the course data is not there");
    eprintln!("the course data does not lie beside the project: its numbers are not compared");
}
