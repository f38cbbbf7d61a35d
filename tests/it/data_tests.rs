//! Each data test of `sql/quality` fails on a warehouse with the damage that it must find.

use std::path::Path;

use crate::support::{duckdb, event, load, put, run, song};

/// Damage to a good warehouse for each data test.
pub(crate) const DAMAGE: &[(&str, &str)] = &[
    ("rows_conserved", "delete from staging_events where item_in_session = 1"),
    ("no_orphan_rows", "update staging_songs set object_id = 99"),
    ("every_play_once", "delete from songplays"),
    ("every_user", "delete from users"),
    ("every_song_and_artist", "delete from songs"),
    (
        "keys_present",
        "alter table users alter user_id drop not null; update users set user_id = null",
    ),
    ("unique_songplays", "insert into songplays select * from songplays"),
    ("unique_users", "insert into users select * from users"),
    ("unique_songs", "insert into songs select * from songs"),
    ("unique_artists", "insert into artists select * from artists"),
    ("unique_time", "insert into time select * from time"),
    ("unique_user_levels", "insert into user_levels select * from user_levels"),
    ("spans_in_order", "update user_levels set is_current = false"),
    ("plays_have_their_song", "update songplays set song_id = 'SO9'"),
    ("plays_have_their_artist", "update songplays set artist_id = 'AR9'"),
    ("plays_have_their_user", "update songplays set user_id = 9"),
    ("plays_have_their_time", "delete from time"),
    ("songs_have_their_artist", "update songs set artist_id = 'AR9'"),
    ("levels_have_their_user", "update user_levels set user_id = 9"),
    ("no_stray_times", "insert into time values ('1999-01-01', 0, 1, 53, 1, 1999, 5)"),
    ("match_is_whole", "update songplays set match_method = null"),
    ("ranges_time", "update time set hour = 24"),
    ("unknown_is_null", "update songs set year = 0"),
];

fn good_warehouse(folder: &Path) -> String {
    put(folder, "song_data/a.json", song("SO1", "One", 200.5));
    let events =
        (0..3).map(|item| event(1, item, 1_541_000_000_000 + u64::from(item), "NextSong", "One"));
    put(folder, "log_data/e.json", events.collect::<String>());
    let path = folder.join("w.duckdb").to_str().unwrap().to_owned();
    load(duckdb(&path).as_mut(), folder, 0.0).unwrap();
    path
}

#[test]
fn every_data_test_finds_its_damage_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = good_warehouse(folder.path());
    let all: Vec<&str> =
        sparkify_load::data_tests::DATA_TESTS.iter().map(|check| check.name).collect();
    let damaged: Vec<&str> = DAMAGE.iter().map(|(check, _)| *check).collect();
    assert_eq!(all, damaged, "one damage per data test");
    let copy = folder.path().join("copy.duckdb");
    for (check, damage) in DAMAGE {
        std::fs::copy(&path, &copy).unwrap();
        let mut warehouse = duckdb(copy.to_str().unwrap());
        for statement in damage.split("; ") {
            warehouse.execute(statement).unwrap();
        }
        drop(warehouse);
        let url = format!("duckdb:{}", copy.display());
        let ended = run(folder.path(), ["check", "--output", "json", "--warehouse", &url]);
        assert_eq!(ended.code, Some(1), "{check}: {ended:?}");
        let verdicts: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        let verdict = verdicts.as_array().unwrap().iter().find(|one| one["check"] == *check);
        assert!(verdict.unwrap()["offending"].as_u64().unwrap() > 0, "{check} found nothing");
    }
    println!("{} data tests found their damage", DAMAGE.len());
}

#[test]
fn a_load_that_fails_a_data_test_is_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let path = good_warehouse(folder.path());
    let mut warehouse = duckdb(&path);
    // A row of the user that ended before this load and is adjacent to no other row.
    let stray = "insert into user_levels values (7, 'old', '1999-01-01', '1999-01-02', false)";
    warehouse.execute(stray).unwrap();
    drop(warehouse);
    put(folder.path(), "log_data/f.json", event(2, 0, 1_541_000_000_005, "NextSong", "One"));
    let url = format!("duckdb:{path}");
    let etl = ["etl", "--song-data", "song_data", "--log-data", "log_data", "--warehouse", &url];
    let message = run(folder.path(), etl).bad(1);
    assert!(message.contains("spans_in_order"), "{message}");
    let count = run(
        folder.path(),
        ["query", "select count(*) from songplays", "--format", "csv", "--warehouse", &url],
    );
    assert_eq!(count.good(), "count_star()\n3\n");
}
