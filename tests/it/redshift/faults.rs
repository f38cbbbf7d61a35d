//! Faults between sparkify, the store and the cluster: a load is published once and completely,
//! or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use redshift_emulator::{Authentication, Emulator, Fault, Options, User, When};
use s3_emulator::{BUCKET, Fault as StoreFault};

use super::{Cluster, ETL};
use crate::support::{event, put, sparkify};

/// Creates a cluster with empty tables: the next statements are a load.
fn ready() -> Cluster {
    let cluster = Cluster::with_data();
    cluster.run(["create-tables"]).good();
    cluster
}

#[test]
fn a_load_is_retried_after_a_transient_error() {
    for (when, fault) in [
        (When::Commit(1), Fault::Serializable),
        (When::Copy(2), Fault::Serializable),
        (When::Write(1), Fault::RelationDropped),
        (When::Copy(1), Fault::Disconnect),
        (When::Commit(1), Fault::Disconnect),
    ] {
        let cluster = ready();
        cluster.emulator.faults().arm(when.clone(), fault.clone());
        let told = cluster.run(ETL).good();
        assert_eq!(cluster.emulator.faults().left(), 0, "{when:?}");
        assert!(told.contains("failed attempts retried"), "{when:?}, {fault:?}: {told}");
        cluster.assert_whole(1, 2);
    }
}

/// The response to the commit is lost: the ledger shows that the load was published.
#[test]
fn a_commit_without_a_response_is_looked_up_in_the_ledger() {
    let cluster = ready();
    cluster.emulator.faults().arm(When::Commit(1), Fault::DisconnectAfter);
    let told = cluster.run(ETL).good();
    assert_eq!(cluster.emulator.faults().left(), 0);
    assert!(
        !told.contains("failed attempts retried") && told.contains("load 1 is published"),
        "{told}"
    );
    cluster.assert_whole(1, 2);
}

/// Returns the number of folders into which data files were written: one for each table of an attempt
/// that extracts. The number of files in one depends on the threads.
fn written_folders(cluster: &Cluster) -> usize {
    let requests = cluster.store.take_requests();
    let is_data = |line: &&String| line.starts_with("PUT ") && line.contains(".json.gz");
    let folder = |line: &String| {
        line.split('/').find(|part| part.starts_with("sparkify-load-")).map(str::to_owned)
    };
    requests.iter().filter(is_data).filter_map(folder).collect::<BTreeSet<String>>().len()
}

#[test]
fn a_retry_uses_the_files_of_the_attempt_before() {
    for (when, fault) in [
        (When::Commit(1), Fault::Serializable),
        (When::Copy(2), Fault::Serializable),
        (When::Commit(1), Fault::Disconnect),
    ] {
        let cluster = ready();
        cluster.emulator.faults().arm(when.clone(), fault.clone());
        let told = cluster.run(ETL).good();
        assert!(told.contains("failed attempts retried"), "{when:?}, {fault:?}: {told}");
        assert_eq!(written_folders(&cluster), 2, "{when:?}, {fault:?}");
        cluster.assert_whole(1, 2);
    }
}

/// While objects are read and files written, neither a transaction nor its lock is held.
#[test]
fn files_are_written_before_the_transaction() {
    let cluster = ready();
    cluster.emulator.log().clear();
    cluster.store.hold("PUT *.json.gz");
    std::thread::scope(|scope| {
        let load = scope.spawn(|| cluster.run(ETL));
        cluster.store.wait_for_held(1);
        let sent = cluster.sent();
        let last = |text: &str| sent.iter().rposition(|sent| sent == text);
        assert!(last("rollback") > last("lock table etl_lock"), "{sent:#?}");
        assert!(last("rollback") > last("begin"), "{sent:#?}");
        cluster.store.release();
        load.join().unwrap().good();
    });
    cluster.assert_whole(1, 2);
}

/// Another load is published after the files of this one were written: numbers in them are taken.
#[test]
fn a_load_that_another_one_overtook_starts_again() {
    for (is_loaded, other) in [(false, ETL.to_vec()), (true, vec!["create-tables", "--yes"])] {
        let cluster = ready();
        let add = || {
            let more = event(9, 0, 1_541_476_000_000, "NextSong", "One");
            put(cluster.folder.path(), "data/log_data/more.json", more);
        };
        if is_loaded {
            cluster.run(ETL).good();
            add();
        }
        cluster.store.hold("PUT *staging/*.json.gz");
        std::thread::scope(|scope| {
            let load = scope.spawn(|| cluster.run(ETL.into_iter().chain(["--output", "json"])));
            cluster.store.wait_for_held(1);
            add();
            let mut command = cluster.command(other);
            command.env("SPARKIFY_STAGING", format!("s3://{BUCKET}/lists"));
            super::ended(&mut command).good();
            cluster.store.release();
            let summary = load.join().unwrap().json();
            let reason = "another load was published while the objects were read";
            assert_eq!(summary["retries"], serde_json::json!([reason]));
        });
        assert_eq!(cluster.asked("select count(*) from songplays"), "3");
        cluster.run(["check"]).good();
        assert_eq!(cluster.staged(), Vec::<String>::new());
    }
}

#[test]
fn permanent_errors_are_recorded_in_the_load_history() {
    let cluster = ready();
    for commit in 1..=4 {
        cluster.emulator.faults().arm(When::Commit(commit), Fault::Serializable);
    }
    let words = cluster.run(ETL).bad(2);
    assert!(words.contains("the load failed after 4 attempts"), "{words}");
    assert_eq!(cluster.asked("select count(*) from songplays"), "0");
    assert_eq!(cluster.asked("select outcome from etl_loads"), "failed");
    cluster.run(ETL).good();
    cluster.assert_whole(1, 2);
}

#[test]
fn transient_store_errors_are_retried() {
    let cluster = ready();
    cluster.store.fail("PUT", StoreFault::Status(503, "SlowDown"), 2);
    cluster.store.fail("PUT", StoreFault::Reset, 1);
    cluster.store.fail("PUT", StoreFault::ResetAfter, 1);
    cluster.run(ETL).good();
    assert_eq!(cluster.store.faults_left(), 0);
    cluster.assert_whole(1, 2);
    put(
        cluster.folder.path(),
        "data/log_data/more.json",
        event(9, 0, 1_541_476_000_000, "NextSong", "One"),
    );
    cluster.store.fail("PUT", StoreFault::Status(403, "AccessDenied"), 1);
    let words = cluster.run(ETL).bad(2);
    assert!(words.contains("`s3:PutObject`"), "{words}");
    let failed =
        "select cast(objects as varchar) || ' ' || kind from etl_loads where outcome = 'failed'";
    assert_eq!(cluster.asked(failed), "1 incremental");
    assert_eq!(cluster.asked("select count(*) from songplays"), "2");
    cluster.run(ETL).good();
    cluster.assert_whole(2, 3);
}

/// A killed program leaves staged files; the next load removes these files only.
#[test]
fn leftovers_of_a_killed_load_are_removed() {
    let cluster = ready();
    cluster.store.put("staging/other/kept.json", "{}");
    cluster.emulator.faults().arm(When::Copy(1), Fault::Slow(Duration::from_secs(15)));
    let mut killed = cluster.command(ETL).spawn().unwrap();
    let manifest =
        |cluster: &Cluster| cluster.staged().iter().any(|key| key.ends_with("manifest.json"));
    for _ in 0..600 {
        if manifest(&cluster) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(manifest(&cluster), "nothing was staged");
    killed.kill().unwrap();
    killed.wait().unwrap();
    cluster.emulator.cut_connections();
    assert!(cluster.staged().len() > 2, "{:?}", cluster.staged());
    let mut command = cluster.command(ETL);
    command.env("SPARKIFY_STAGING_HOURS", "0");
    super::ended(&mut command).good();
    assert_eq!(cluster.staged(), ["staging/other/kept.json"]);
    cluster.store.remove("staging/other/kept.json");
    cluster.assert_whole(1, 2);
}

#[test]
fn passwords_of_every_kind_and_refusals_of_a_connection() {
    let user = User { authentication: Authentication::Sha256, ..User::new("digest", "Emulator-1") };
    let options =
        Options { users: vec![User::new("awsuser", "Emulator-1"), user], ..Options::default() };
    let emulator = Emulator::start(options).unwrap();
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "ca.pem", emulator.ca_pem());
    let query = |user: &str, password: &str, rest: &str| {
        let address = format!("localhost:{}/dev{rest}", emulator.port());
        let url = format!("redshift://{user}:{password}@{address}");
        let query = ["query", "--format", "csv", "select 7 as n", "--warehouse", &url];
        super::ended(&mut sparkify(folder.path(), query))
    };
    for user in ["awsuser", "digest"] {
        let rows = query(user, "Emulator-1", "?sslrootcert=ca.pem").good();
        assert_eq!(rows.lines().nth(1), Some("7"), "{user}");
        let words = query(user, "Wr0ng-word", "?sslrootcert=ca.pem").bad(2);
        assert!(words.contains("password authentication failed"), "{words}");
    }
    let words = query("awsuser", "Emulator-1", "?sslrootcert=ca.pem&sslmode=disable").bad(2);
    assert!(words.contains("the cluster requires TLS: remove `sslmode=disable`"), "{words}");
    let words = query("awsuser", "Emulator-1", "?sslmode=verify-full").bad(2);
    assert!(words.contains("not signed by a trusted authority"), "{words}");
}

/// As from outside the network of a private cluster: packets get no answer.
#[cfg(target_os = "linux")]
#[test]
fn a_port_that_is_silent_names_the_data_api() {
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    // Nothing accepts the connections; when its queue is full, the kernel drops further ones.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
    let waiting: Vec<TcpStream> = (0..10_000).map_while(connect).collect();
    assert!(waiting.len() < 10_000);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("redshift://u:s3cr@{address}/dev?connect_timeout=1");
    for arguments in [&["check"][..], &["doctor", "--no-probes"]] {
        let arguments = [arguments, &["--warehouse", &url]].concat();
        let ended = super::ended(&mut sparkify(folder.path(), arguments));
        let words = ended.out + &ended.err;
        let port = address.port();
        assert!(words.contains(&format!("no response from port {port} within 1 s")), "{words}");
        assert!(words.contains("reachable only from its VPC"), "{words}");
        assert!(words.contains("Data API"), "{words}");
    }
}

/// The end of an SSH tunnel: the certificate is for the cluster's own name.
#[test]
fn a_tunnel_is_encrypted_and_its_authority_verified() {
    let cluster = Cluster::start();
    let port = cluster.emulator.port();
    let query = |host: &str, change: fn(&mut std::process::Command)| {
        let config = format!(
            "[CLUSTER]\nHOST={host}\nDB_NAME=dev\nDB_USER=awsuser\nDB_PASSWORD=Emulator-1\nDB_PORT={port}\n"
        );
        put(cluster.folder.path(), "dwh.cfg", config);
        let mut command = cluster.command(["query", "--format", "csv", "select 7 as n"]);
        command.env_remove("SPARKIFY_WAREHOUSE");
        change(&mut command);
        super::ended(&mut command)
    };
    // The system's certificates are those of this file.
    for host in ["localhost", "127.0.0.1"] {
        let rows = query(host, |command| {
            command.env("SSL_CERT_FILE", "ca.pem");
        });
        assert_eq!(rows.good().lines().nth(1), Some("7"), "{host}");
    }
    let words = query("localhost", |_| {}).bad(2);
    assert!(words.contains("not signed by a trusted authority"), "{words}");
    assert!(words.contains("sslrootcert=FILE"), "{words}");
    let words = query("localhost", |command| {
        command.env("PGSSLMODE", "disable");
    });
    assert!(words.bad(2).contains("the cluster requires TLS: remove `sslmode=disable`"));
}
