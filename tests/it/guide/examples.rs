//! Files in `examples/`, run by the schedulers and tools that they are for, with the pinned packages
//! of `scripts/python.sh`.

use std::path::Path;
use std::process::Command;

use super::repository;
use super::run::Place;
use crate::support::{Ended, put, query_value, run, walk};

/// Returns a place with generated input of three days, and the example's files.
fn place(example: &str) -> Place {
    let mut place = Place::new();
    let work = place.work();
    let size = "sparkify generate data --songs 50 --events 3000 --days 3 --users 40";
    good(&mut shell(&place, size));
    let files = repository("examples").join(example);
    for file in walk(&files) {
        let name = file.strip_prefix(&files).unwrap().to_str().unwrap();
        put(&work, name, std::fs::read(&file).unwrap());
    }
    for (name, value) in [
        ("SPARKIFY_SONG_DATA", work.join("data/song_data")),
        ("SPARKIFY_LOG_DATA", work.join("data/log_data")),
        ("SPARKIFY_HOME", work.clone()),
    ] {
        place.environment.push((name, value.into()));
    }
    place
}

fn shell(place: &Place, script: &str) -> Command {
    let mut command = place.command("bash");
    command.args(["-c", script]);
    command
}

fn good(command: &mut Command) -> String {
    Ended::from(command.output().expect("the command starts")).good()
}

/// Returns Python with the packages of an environment.
fn python(place: &Place, environment: &str, arguments: &[&str]) -> Command {
    let mut command = place.command(repository("scripts/python.sh"));
    let home = std::env::var_os("HOME").expect("a home");
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .unwrap_or_else(|| Path::new(&home).join(".cache").into());
    command.arg(environment).args(arguments);
    // The environments are in the cache of the user. Programs send no usage statistics.
    command
        .env("XDG_CACHE_HOME", cache)
        .env("DO_NOT_TRACK", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn loads(place: &Place) -> String {
    query_value(&place.work(), "select count(*) || ' ' || max(outcome) from etl_loads")
}

#[test]
fn the_airflow_dag_loads_a_day_and_tests_the_data() {
    let place = place("airflow");
    let home = place.work().join("airflow");
    std::fs::create_dir_all(home.join("dags")).unwrap();
    std::fs::rename(place.work().join("sparkify_dag.py"), home.join("dags/sparkify_dag.py"))
        .unwrap();
    let airflow = |arguments: &[&str]| {
        let mut command = python(&place, "airflow", &[&["-m", "airflow"], arguments].concat());
        command.env("AIRFLOW_HOME", &home).env("AIRFLOW__CORE__LOAD_EXAMPLES", "False");
        command.env("AIRFLOW__CORE__UNIT_TEST_MODE", "False");
        Ended::from(command.output().expect("Airflow starts"))
    };
    airflow(&["db", "migrate"]).good();
    for _ in 0..2 {
        let ended = airflow(&["dags", "test", "sparkify", "2018-11-02"]);
        assert!(!format!("{}{}", ended.out, ended.err).contains("state=failed"), "{ended:#?}");
        ended.good();
        // The second run changes nothing.
        assert_eq!(loads(&place), "1 published");
    }
    let days = "select count(distinct cast(start_time as date)) from songplays";
    assert_eq!(query_value(&place.work(), days), "1");
}

const MATERIALIZE: &str = "
import dagster as dg
from sparkify_assets import data_tests, star_schema

for _ in range(2):
    result = dg.materialize([star_schema, data_tests], partition_key='2018-11-02')
    assert result.success
    (materialization,) = result.asset_materializations_for_node('star_schema')
    (check,) = result.get_asset_check_evaluations()
    print(materialization.metadata['outcome'].value, check.passed)
";

#[test]
fn the_dagster_asset_loads_a_day_and_tests_the_data() {
    let place = place("dagster");
    let mut command = python(&place, "dagster", &["-c", MATERIALIZE]);
    command.env("DAGSTER_HOME", place.work()).env("PYTHONPATH", place.work());
    put(&place.work(), "dagster.yaml", "telemetry:\n  enabled: false\n");
    assert_eq!(good(&mut command), "published True\nunchanged True\n");
    assert_eq!(loads(&place), "1 published");
}

#[test]
fn dbt_builds_on_the_generated_sources_and_finds_damage() {
    let place = place("dbt");
    good(&mut shell(&place, "sparkify etl && sparkify docs --dbt --out models"));
    let run_dbt = || {
        let script = "import sys\nfrom dbt.cli.main import cli\nsys.exit(cli(['build', '--no-use-colors', '--no-send-anonymous-usage-stats']))";
        Ended::from(python(&place, "dbt", &["-c", script]).output().expect("dbt starts"))
    };
    let built = run_dbt();
    let sources = std::fs::read_to_string(place.work().join("models/sources.yml")).unwrap();
    let count = |form: &str| sources.matches(form).count();
    let [unique, required, related] = ["- unique\n", "- not_null\n", "- relationships:"].map(count);
    // As many as data tests that state one; `unique_user_levels` is about open periods.
    let stated = |form: &str| {
        let tests = sparkify_load::data_tests::DATA_TESTS.iter();
        tests.filter(|test| test.headline().contains(form)).count()
    };
    assert_eq!((unique, related), (stated("` is unique in `"), stated("` is in `")));
    assert!(unique == 5 && related >= 7 && required > 15, "{unique} {required} {related}");
    // Three tests of the model of the example, and the model.
    let total = unique + required + related + 4;
    assert!(built.out.contains(&format!("PASS={total} WARN=0 ERROR=0")), "{built:#?}");
    assert!(!built.out.to_lowercase().contains("deprecat"), "{built:#?}");
    built.good();

    let mut warehouse =
        crate::support::duckdb(place.work().join("sparkify.duckdb").to_str().unwrap());
    warehouse
        .execute("delete from users where user_id = (select min(user_id) from songplays)")
        .unwrap();
    drop(warehouse);
    let damaged = run_dbt();
    assert!(
        damaged.out.contains("FAIL")
            && damaged.out.contains("relationships_sparkify_songplays_user_id"),
        "{damaged:#?}"
    );
    damaged.bad(1);
}

#[test]
fn the_crontab_runs_commands_that_work() {
    let place = place("cron");
    let crontab = std::fs::read_to_string(place.work().join("crontab")).unwrap();
    std::fs::create_dir_all(place.work().join("music")).unwrap();
    let mut commands = 0;
    for line in crontab.lines().filter(|line| line.contains("sparkify ") && !line.starts_with('#'))
    {
        // Five fields, then the command. The folder of the job is in the home of its user.
        let (_, command) = line.split_once("  ").unwrap();
        let command = format!("HOME=$PWD; {command}");
        assert_eq!(good(&mut shell(&place, &command)), "", "{line}");
        commands += 1;
    }
    assert_eq!(commands, 2);
}

#[test]
fn sources_for_dbt_name_the_place_of_the_tables_and_spare_files_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let sources = |warehouse: &[&str]| {
        run(here, ["docs", "--dbt", "--out", "models"].iter().chain(warehouse)).good();
        std::fs::read_to_string(here.join("models/sources.yml")).unwrap()
    };
    let file = sources(&["--warehouse", "duckdb:data/plays.duckdb"]);
    assert!(file.contains("    database: \"plays\"\n    schema: \"main\"\n"), "{file}");
    // Neither warehouse is opened.
    let server = ["--warehouse", "postgres://me@localhost/music", "--schema", "sparkify"];
    let server = sources(&server);
    assert!(server.contains("    schema: \"sparkify\"\n") && !server.contains("database:"));
    for table in sparkify_load::tables::all() {
        assert!(server.contains(&format!("      - name: {}\n", table.name)), "{}", table.name);
    }
    put(here, "models/sources.yml", "version: 2\n");
    let refused = run(here, ["docs", "--dbt", "--out", "models"]).bad(2);
    assert!(refused.contains("was not written by `sparkify docs`"), "{refused}");
}
