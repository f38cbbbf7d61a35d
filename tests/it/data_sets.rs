//! Known input: the figures of each data set, and the search for the course data.

use std::path::{Path, PathBuf};

use crate::data::{COURSE, DataSet, find_course, on_each_data_set, repository};
use crate::oracle;
use crate::support::{assert_same_model, duckdb, etl_of, load, model, put, query_value, run};

on_each_data_set!(two_loads_give_the_figures, every_row_of_the_model_equals_the_oracle);

fn two_loads_give_the_figures(data: &DataSet) {
    let folder = tempfile::tempdir().unwrap();
    for (outcome, read) in [("published", data.objects()), ("unchanged", 0)] {
        let summary = run(folder.path(), etl_of(&data.folder())).json();
        assert_eq!(summary["outcome"], outcome);
        assert_eq!(summary["objects_read"], read);
        for (table, rows) in data.tables {
            assert_eq!(summary["tables"][table], rows, "{table}");
        }
        assert_eq!(summary["tables"]["etl_loads"], 1);
        let methods = ["not in the catalogue", "exact", "title_artist"];
        for (method, plays) in methods.into_iter().zip(data.matched) {
            assert_eq!(summary["matched"][method], plays, "{method}");
        }
        assert_eq!(summary["matched"].as_object().unwrap().len(), methods.len());
        assert_eq!(summary["duplicates"], data.duplicates);
        assert_eq!(summary["rejected"], 0);
    }
    let query = |sql: &str| query_value(folder.path(), sql);
    let most = |of: &str| {
        let joined = "songplays join time using (start_time)";
        query(&format!("select {of}, count(*) from {joined} group by all order by 2 desc limit 1"))
    };
    assert_eq!(most("user_id"), pair(data.top_user));
    assert_eq!(most("hour"), pair(data.top_hour));
    assert_eq!(most("weekday"), pair(data.top_weekday));
    for (place, (title, artist, plays)) in data.top_songs.into_iter().enumerate() {
        let sql = "select song_title, artist_name, count(*) from songplays group by 1, 2 order by 3 desc limit 1 offset";
        assert_eq!(query(&format!("{sql} {place}")), format!("{title},{artist},{plays}"));
    }
    let user = data.changing_user;
    let spans = "select count(*), count(distinct level) from user_levels where user_id";
    assert_eq!(query(&format!("{spans} = {user}")), "3,2");
    assert_eq!(query("select round(sum(length) / 3600, 2) from songplays"), data.hours);
    let level = "select count(*) from songplays where level";
    assert_eq!(query(&format!("{level} = 'paid'")), data.paid.to_string());
    assert_eq!(query(&format!("{level} = 'free'")), data.free.to_string());
    assert_eq!(query("select min(start_time) from songplays"), data.first_play);
}

fn pair((value, count): (impl std::fmt::Display, u64)) -> String {
    format!("{value},{count}")
}

fn every_row_of_the_model_equals_the_oracle(data: &DataSet) {
    let expected = oracle::expected_in(&data.folder());
    let mut warehouse = duckdb(":memory:");
    load(warehouse.as_mut(), &data.folder(), 0.0).unwrap();
    assert_same_model(&model(warehouse.as_mut()), &expected.tables, data.name);
}

/// In a run without the course data this is the only test that looks for them.
#[test]
fn the_course_data_are_complete_or_absent() {
    find_course(std::env::var_os("SPARKIFY_COURSE"), repository()).unwrap();
}

#[test]
fn the_course_data_are_found_at_the_documented_paths() {
    let outer = tempfile::tempdir().unwrap();
    let repository = outer.path().join("clone");
    std::fs::create_dir(&repository).unwrap();
    let find = |named: Option<&str>| find_course(named.map(Into::into), &repository);
    assert_eq!(find(None), Ok(None), "a clone without course data");
    assert_eq!(find(Some("")), Ok(None));
    assert!(find(Some("elsewhere")).unwrap_err().starts_with("incomplete course data: found 0"));

    let beside = outer.path().join("shared/data/course");
    let file = |part: &str, number: u64| put(&beside, &format!("{part}/{number}.json"), "");
    (0..COURSE.song_objects).for_each(|number| file("song_data/A", number));
    (1..COURSE.log_objects).for_each(|number| file("log_data", number));
    put(&beside, "log_json_path.json", "");
    let problem = find(None).unwrap_err();
    assert!(
        problem.contains("found 29 JSON files") && problem.contains("expected 30"),
        "{problem}"
    );
    file("log_data", 0);
    assert_eq!(find(None), Ok(Some(repository.join("../shared/data/course"))));
    assert_eq!(find(Some("../shared/data/course")), find(None));
    let beside = beside.to_str().unwrap();
    assert_eq!(find(Some(beside)), Ok(Some(PathBuf::from(beside))));
    assert!(find(Some("elsewhere")).is_err(), "a configured folder has no fallback");
}

/// Tests read files outside the repository through [`find_course`] only.
#[test]
fn one_function_looks_outside_the_repository() {
    let own = ["tests/data/mod.rs", "tests/it/data_sets.rs"].map(|name| repository().join(name));
    let mut readers = Vec::new();
    for folder in ["tests", "crates", "src", "benches", "examples", "fuzz"] {
        rust_files(&repository().join(folder), &mut readers);
    }
    assert!(readers.len() > 100, "{}", readers.len());
    for path in readers.into_iter().filter(|path| !own.contains(path)) {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in ["../shared", "SPARKIFY_COURSE"] {
            assert!(!text.contains(name), "{} names {name}", path.display());
        }
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
