//! Saved queries: results, output formats and filters.

use std::path::Path;

use sparkify_analytics::report::{Parameter, SavedQuery};
use sparkify_warehouse::Opening;

use crate::data::{DataSet, on_each_data_set};
use crate::support::{duckdb, event, load, put, run, song};

/// Loads three days of one user, who upgrades and downgrades, with a play at each level.
fn loaded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    let day = 86_400_000;
    let events: String = ["free", "paid", "free"]
        .into_iter()
        .zip(0..)
        .map(|(level, place)| {
            let ts = 1_541_376_000_000 + u64::from(place) * day;
            event(place, 0, ts, "NextSong", "One").replace("\"free\"", &format!("\"{level}\""))
        })
        .collect();
    put(folder.path(), "data/log_data/e.json", events);
    etl(folder.path());
    folder
}

fn etl(folder: &Path) {
    run(folder, ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"]).good();
}

fn csv(folder: &Path, arguments: &[&str]) -> String {
    run(folder, ["query", "--allow-files", "--format", "csv"].iter().chain(arguments)).good()
}

#[test]
fn every_saved_query_runs_in_every_output_format() {
    let folder = loaded();
    let here = folder.path();
    let list = run(here, ["query", "--list", "--output", "json"]).json();
    let listed = list.as_array().unwrap();
    assert!(listed.len() >= 30, "{}", listed.len());
    for query in listed {
        let name = query["name"].as_str().unwrap();
        assert!(run(here, ["query", name]).good().contains("row"), "{name}");
        let answer = csv(here, &[name]);
        assert!(answer.lines().count() > 1, "{name}");
        let described = query["columns"].as_array().unwrap();
        let described: Vec<&str> = described.iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(answer.lines().next().unwrap(), described.join(","), "columns of {name}");
        let rows = run(here, ["query", name, "--format", "json"]).json();
        let lines = run(here, ["query", name, "--format", "ndjson"]).good();
        let lines: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.as_array().unwrap(), &lines, "{name}");
        let markdown = run(here, ["query", name, "--format", "markdown"]).good();
        assert_eq!(markdown.lines().count(), lines.len() + 2, "{name}");
        let file = format!("{name}.parquet");
        run(here, ["query", name, "--out", &file]).good();
        assert_eq!(csv(here, &[&format!("from '{file}'")]), answer, "{name} in Parquet");
    }
}

#[test]
fn the_extension_sets_the_format_of_a_file_written_atomically() {
    let folder = loaded();
    let here = folder.path();
    let sql = "select 7 as a, 1.50 as b, sum(2::bigint) as a, null::integer as n, date '0001-01-31' as d, '\\xff'::blob as x, \
               [1, 2] as l, 'é' as t, true as y, timestamp '2018-11-05 01:02:03.000004' as m";
    for (file, start) in
        [("a.csv", "a,b,a,n"), ("a.json", "[\n"), ("a.ndjson", "{\"a\""), ("a.md", "| a |")]
    {
        let ended = run(here, ["query", sql, "--out", file]);
        assert_eq!(ended.err, format!("wrote the result to `{file}`\n"));
        assert_eq!(ended.good(), "");
        let text = std::fs::read_to_string(here.join(file)).unwrap();
        assert!(text.starts_with(start), "{file}: {text}");
    }
    run(here, ["query", sql, "-o", "a.parquet"]).good();
    let types = "select string_agg(column_type, ' ') as t from (describe from 'a.parquet')";
    let expected = "\"INTEGER DECIMAL(3,2) DECIMAL(38,0) INTEGER DATE BLOB VARCHAR VARCHAR BOOLEAN TIMESTAMP\"";
    assert_eq!(csv(here, &[types]).lines().nth(1), Some(expected));
    let row = "7,1.50,2,,0001-01-31,ff,\"[1, 2]\",é,true,2018-11-05 01:02:03.000004";
    assert_eq!(csv(here, &["from 'a.parquet'"]).lines().nth(1), Some(row));
    // A query that fails after some rows leaves the file as it was.
    let before = std::fs::read(here.join("a.csv")).unwrap();
    let fails =
        "select case when i < 99999 then i else error('late') end as i from range(100000) r(i)";
    run(here, ["query", fails, "--out", "a.csv"]).bad(2);
    assert_eq!(std::fs::read(here.join("a.csv")).unwrap(), before);
    assert_eq!(std::fs::read_dir(here).unwrap().count(), 7, "no temporary file remains");
    let message = run(here, ["query", "row_counts", "--out", "no/where.csv"]).bad(2);
    assert!(message.contains("cannot write `no/where.csv`"), "{message}");
    let message = run(here, ["query", "row_counts", "--out", "data"]).bad(2);
    assert!(message.contains("`data` is not a regular file"), "{message}");
    // Row groups have the usual size of Parquet.
    run(here, ["query", "select i, 'x' || i as t from range(300000) r(i)", "-o", "big.parquet"])
        .good();
    let groups = "select count(distinct row_group_id), max(row_group_num_rows), min(compression) from parquet_metadata('big.parquet')";
    assert_eq!(csv(here, &[groups]).lines().nth(1), Some("3,122880,ZSTD"));
    let sums = "select count(*), sum(i), count(distinct t) from 'big.parquet'";
    assert_eq!(csv(here, &[sums]).lines().nth(1), Some("300000,44999850000,300000"));
}

#[test]
fn each_column_and_parameter_is_described() {
    for query in SavedQuery::all() {
        let name = query.name();
        assert!(query.description().ends_with('?'), "{name}");
        let columns = query.columns();
        assert!(columns.iter().all(|column| !column.description.is_empty()), "{name}");
        let statement = query.statement(Opening { engine: "duckdb", incremental: false });
        let used = (1..10).filter(|n| statement.contains(&format!("${n}"))).count();
        assert_eq!(used, query.parameters().len(), "parameters of {name}");
        for parameter in query.parameters() {
            match parameter {
                Parameter::Limit(rows) => assert!(rows > 0, "{name}"),
                Parameter::By(choices) => assert!(choices.contains(", "), "{name}"),
                _ => {}
            }
        }
    }
}

#[test]
fn date_filters_are_inclusive_days() {
    let folder = loaded();
    let here = folder.path();
    let days = |filters: &[&str]| {
        let answer = csv(here, &[&["plays_by_day"], filters].concat());
        answer.lines().skip(1).map(|line| line[8..10].to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(days(&[]), "05 06 07");
    assert_eq!(days(&["--since", "2018-11-06"]), "06 07");
    assert_eq!(days(&["--until", "2018-11-06"]), "05 06");
    assert_eq!(days(&["--since", "2018-11-06", "--until", "2018-11-06"]), "06");
    assert_eq!(days(&["--level", "paid"]), "06");
    assert_eq!(days(&["--level", "' or 1=1 --"]), "", "a parameter is never SQL");
    let ended = run(here, ["query", "plays_by_day", "--level", "premium"]);
    let warning = "warning: no user has the level `premium`; the levels are `free`, `paid`\n";
    assert_eq!(ended.err, warning, "{}", ended.err);
    assert_eq!(days(&["--until", "9999-12-31"]), "05 06 07");
    let message = run(here, ["query", "plays_by_day", "--limit", "3"]).bad(2);
    insta::assert_snapshot!(message, @r"
    error: saved query `plays_by_day` has no option `--limit`
    hint: available options: `--since`, `--until`, `--level`
    ");
    let message = run(here, ["query", "top_songs", "--by", "price"]).bad(2);
    insta::assert_snapshot!(message, @r"
    error: invalid value `price` for `--by` of saved query `top_songs`
    hint: choose from: plays, listeners, hours
    ");
    let message = run(here, ["query", "select 1", "--level", "paid"]).bad(2);
    insta::assert_snapshot!(message, @r"
    error: `--level` does not apply to SQL
    hint: filter in the SQL itself, or run a saved query (`sparkify query --list`)
    ");
    let message = run(here, ["query", "row_counts", "--since", "5.11.2018"]).bad(2);
    assert!(message.contains("`5.11.2018` is not a date"), "{message}");
    let order = ["query", "overview", "--since", "2018-11-07", "--until", "2018-11-05"];
    assert!(run(here, order).bad(2).contains("is before"));
    run(here, ["query", "top_songs", "--limit", "-1"]).bad(2);
}

/// Compares the results of every saved query with the golden results, except `history`, which has
/// timestamps and versions. Keys of objects are compared from the name of the location on.
fn compare(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    for query in SavedQuery::all().filter(|query| query.name() != "history") {
        let answer = csv(folder.path(), &[query.name(), "--warehouse", url]);
        let below = |line: &str| line.find("log_data/").unwrap_or_default();
        let lines = answer.lines().map(|line| format!("{}\n", &line[below(line)..]));
        let answer = lines.collect::<Vec<_>>().concat();
        insta::assert_snapshot!(query.name(), answer);
    }
}

/// Compares the results on a data set that is loaded at `url`.
pub(crate) fn golden_results_of(data: &DataSet, url: &str) {
    insta::with_settings!({ snapshot_path => format!("snapshots/{}", data.name) }, { compare(url) });
}

/// Compares the results on a warehouse without rows.
pub(crate) fn golden_results_of_empty(url: &str) {
    insta::with_settings!({ snapshot_path => "snapshots/empty" }, { compare(url) });
}

on_each_data_set!(golden_results);

fn golden_results(data: &DataSet) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparkify.duckdb");
    load(duckdb(path.to_str().unwrap()).as_mut(), &data.folder(), 0.0).unwrap();
    golden_results_of(data, &format!("duckdb:{}", path.display()));
    // Compares the figures too, as a snapshot may be accepted without review.
    let rows = |arguments: &[&str]| -> Vec<String> {
        csv(folder.path(), arguments).lines().skip(1).map(str::to_owned).collect()
    };
    let (user, plays) = data.top_user;
    let first = &rows(&["top_users"])[0];
    assert!(first.starts_with(&format!("{user},")) && first.contains(&format!(",paid,{plays},")));
    for (row, (title, artist, plays)) in
        rows(&["top_songs", "--limit", "2"]).iter().zip(data.top_songs)
    {
        assert!(row.starts_with(&format!("{title},{artist},{plays},")), "{row}");
    }
    for (query, (value, plays)) in
        [("plays_by_hour", data.top_hour), ("plays_by_weekday", data.top_weekday)]
    {
        let expected = format!("{value},{plays},");
        assert!(rows(&[query]).iter().any(|row| row.starts_with(&expected)), "{expected}");
    }
    let plays = data.rows("songplays");
    let expected = format!("{plays},{plays},{},", data.hours);
    assert!(rows(&["listening_time"])[0].starts_with(&expected), "{expected}");
    for (row, (level, plays)) in
        rows(&["plays_by_level"]).iter().zip([("paid", data.paid), ("free", data.free)])
    {
        assert!(row.starts_with(&format!("{level},{plays},")), "{row}");
    }
    assert_eq!(rows(&["hour_by_weekday"]).len(), 168);
}

#[test]
fn every_saved_query_runs_on_an_empty_warehouse() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["create-tables"]).good();
    let path = folder.path().join("sparkify.duckdb");
    golden_results_of_empty(&format!("duckdb:{}", path.display()));
    assert_eq!(csv(folder.path(), &["history"]).lines().count(), 1);
}

#[test]
fn the_documentation_of_saved_queries_is_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run(folder.path(), ["query", "--list", "--format", "markdown"]).good();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/saved-queries.md");
    let found = std::fs::read_to_string(page).unwrap_or_default();
    assert_eq!(
        found, printed,
        "docs/reference/saved-queries.md: replace it by the output of the command"
    );
}
