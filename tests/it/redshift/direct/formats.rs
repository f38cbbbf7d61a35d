//! Log formats and `JSONPaths` files: which of them COPY reads, and that the tables are the same as in
//! DuckDB.

use super::{BUCKET, By, ended, small};
use crate::support::{event, put};

/// Puts two events under other keys, of which the title is in a list.
fn renamed(cluster: &super::Cluster) {
    let events = [
        event(2, 0, 1_541_380_000_796, "NextSong", "One"),
        event(2, 1, 1_541_380_001_000, "Home", ""),
    ];
    let renamed =
        events.concat().replace("\"song\":\"One\"", "\"what\":{\"names\":[\"x\",\"One\"]}");
    let renamed = renamed.replace("\"song\":\"\"", "\"what\":{\"names\":[\"x\",\"\"]}");
    let renamed = renamed.replace("\"ts\"", "\"at\"");
    assert!(renamed.contains("\"names\":[\"x\",\"One\"]") && renamed.contains("\"at\""));
    cluster.store.put("data/log_data/2018/11/2018-11-05-events.json", renamed);
}

fn path_of(key: &str) -> String {
    match key {
        "song" => "$['what']['names'][1]".to_owned(),
        "ts" => "$['at']".to_owned(),
        key => format!("$['{key}']"),
    }
}

#[test]
fn a_json_paths_file_gives_the_same_tables_as_in_duckdb() {
    let paths = sparkify_reader::RecordKind::Events.keys().iter().map(|key| path_of(key));
    let file = serde_json::json!({ "jsonpaths": paths.collect::<Vec<_>>() }).to_string();
    for by in [By::Prefixes, By::Lists] {
        let cluster = small();
        renamed(&cluster);
        cluster.store.put("data/paths.json", file.clone());
        let url = format!("s3://{BUCKET}/data/paths.json");
        let more = ["--log-jsonpath", &url];
        let summary = ended(&mut cluster.direct(by, &more)).json();
        assert_eq!((&summary["objects_copied"], &summary["rejected"]), (&3.into(), &0.into()));
        assert_eq!(cluster.asked("select count(*) from songplays where song_id = 'SO1'"), "1");
        cluster.assert_same(&more);
        cluster.assert_tidy();
    }
    let cluster = small();
    renamed(&cluster);
    cluster.store.put("data/paths.json", file);
    staged(&cluster, &["--log-jsonpath", &format!("s3://{BUCKET}/data/paths.json")]);
}

/// Loads the bucket through staged files, and compares the tables with those of DuckDB.
fn staged(cluster: &super::Cluster, more: &[&str]) {
    let (songs, logs) =
        (format!("s3://{BUCKET}/data/song_data"), format!("s3://{BUCKET}/data/log_data"));
    let etl = ["etl", "--song-data", &songs, "--log-data", &logs];
    cluster.run(etl.into_iter().chain(more.iter().copied())).good();
    assert_eq!(cluster.asked("select count(*) from songplays"), "1");
    cluster.assert_same(more);
}

#[test]
fn a_format_of_single_paths_is_copied_with_a_generated_file() {
    let cluster = small();
    renamed(&cluster);
    let kind = sparkify_reader::RecordKind::Events;
    let columns = kind.column_names().into_iter().zip(kind.keys());
    let columns: Vec<String> =
        columns.map(|(column, key)| format!("{column} = \"{}\"", path_of(key))).collect();
    let columns = columns.join("\n");
    let format = format!("title = 'mine'\nrepair_text = true\n[columns]\n{columns}\n");
    put(cluster.folder.path(), "mine.toml", format);
    let more = ["--log-format", "mine.toml"];
    let message = ended(&mut cluster.direct(By::Prefixes, &more)).bad(2);
    assert!(message.contains("no place for it") && message.contains("--manifest"), "{message}");
    let summary = ended(&mut cluster.direct(By::Lists, &more)).json();
    assert_eq!((&summary["objects_copied"], &summary["rejected"]), (&3.into(), &0.into()));
    assert!(cluster.copies().iter().any(|copy| copy.contains("/paths.json'")));
    cluster.assert_same(&more);
    cluster.assert_tidy();
}

#[test]
fn a_format_that_copy_cannot_express_takes_the_staged_way() {
    let cluster = small();
    let listen = r#"{"artist":"The Band","song":"One","duration":200.5,"ts":1541376000796,"sessionId":7,"itemInSession":0,"city":"Springfield","state":"XX","userId":12}"#;
    cluster.store.put("data/log_data/2018/11/2018-11-05-events.json", listen);
    let more = ["--log-format", "eventsim"];
    let message = ended(&mut cluster.direct(By::Lists, &more)).bad(2);
    assert!(
        message.contains("cannot copy the log format `eventsim`") && message.contains("--staging"),
        "{message}"
    );
    staged(&cluster, &more);
}
