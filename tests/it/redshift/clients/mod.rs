//! Clients that others wrote, on the Redshift emulator: drivers, `SQLAlchemy`, dbt, awswrangler.
//!
//! Each scenario is a Python script of this folder. It asserts the values that the client returns, and
//! prints `passed NAME` at its end.

use std::path::{Path, PathBuf};
use std::process::Command;

use s3_emulator::{BUCKET, KEY, SECRET};
use sparkify_warehouse::Value;

use super::{Cluster, REGION, ROLE};
use crate::support::duckdb;

/// Runs a script of this folder with an environment of `scripts/python.sh`, which must pass.
fn run_script(cluster: &Cluster, environment: &str, name: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let script = root.join("tests/it/redshift/clients").join(format!("{name}.py"));
    let user = &cluster.emulator.options().users[0];
    let mut command = Command::new(root.join("scripts/python.sh"));
    for (variable, _) in std::env::vars() {
        if variable.starts_with("AWS_") || variable.to_lowercase().ends_with("_proxy") {
            command.env_remove(variable);
        }
    }
    let output = command
        .arg(environment)
        .arg(script)
        .args([&cluster.emulator.port().to_string(), &user.name, &user.password])
        .arg(&cluster.emulator.options().database)
        .args(arguments)
        .current_dir(cluster.folder.path())
        // The environments are in the cache of the user. Programs send no usage statistics.
        .env("XDG_CACHE_HOME", cache())
        .env("HOME", cluster.folder.path())
        .env("DO_NOT_TRACK", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SSL_CERT_FILE", cluster.folder.path().join("ca.pem"))
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("the script starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stdout.lines().last(), Some(format!("passed {name}").as_str()), "{stdout}{stderr}");
}

/// Reads the rows of a Parquet file with DuckDB, for COPY of the emulator.
pub(super) fn read_parquet(content: &[u8]) -> Result<Vec<Vec<Option<String>>>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("file.parquet");
    std::fs::write(&file, content).map_err(|error| error.to_string())?;
    let mut warehouse = duckdb(&folder.path().join("reader.duckdb").display().to_string());
    let query = format!("select columns(*)::varchar from read_parquet('{}')", file.display());
    let answer = warehouse.query(&query, &[], usize::MAX).map_err(|error| error.to_string())?;
    let text = |value: Value| if value == Value::Null { None } else { Some(value.to_string()) };
    Ok(answer.rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect())
}

fn cache() -> PathBuf {
    let home = std::env::var_os("HOME").expect("a home");
    std::env::var_os("XDG_CACHE_HOME")
        .map_or_else(|| Path::new(&home).join(".cache"), PathBuf::from)
}

#[test]
fn drivers_read_and_write() {
    let cluster = Cluster::start();
    run_script(&cluster, "redshift_drivers", "drivers", &[]);
    // The server saw a cursor of psycopg 2.
    let declared = |sent: &String| sent.contains("CURSOR WITHOUT HOLD FOR");
    assert!(cluster.sent().iter().any(declared));
}

#[test]
fn sqlalchemy_creates_reads_and_reflects_tables() {
    let cluster = Cluster::start();
    run_script(&cluster, "redshift_tools", "run_sqlalchemy", &[]);
}

#[test]
fn dbt_builds_and_tests_a_project() {
    let cluster = Cluster::start();
    run_script(&cluster, "redshift_tools", "run_dbt", &[]);
}

#[test]
fn awswrangler_writes_and_reads_data_frames() {
    let cluster = Cluster::start();
    let arguments = [&cluster.store.endpoint(), BUCKET, ROLE];
    run_script(&cluster, "redshift_tools", "run_awswrangler", &arguments);
    assert!(cluster.sent().iter().any(|sent| sent.contains("FORMAT AS PARQUET")));
}
