//! `sparkify serve` on PostgreSQL and Redshift: no statement outlives its limit, its client or the
//! server of the page.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use serde_json::json;

use crate::page::small;
use crate::serve::Serving;
use crate::support::{Ended, run, sparkify};

/// Statements on a server end at the time limit, when the client disconnects, and with `serve`.
fn statements_end_on_a_server(start: impl Fn(&[&str]) -> Serving, name: &str) {
    // The name finds the statement in the list of the server.
    let endless = &format!(
        "select sum(a.item_in_session * b.item_in_session + c.item_in_session) as {name} \
         from songplays as a cross join songplays as b cross join songplays as c"
    );
    let server = crate::servers::Database::new();
    let running = || {
        server.psql(&format!(
            "select count(*) from pg_stat_activity where state = 'active' \
             and query like '%as {name}%' and pid <> pg_backend_pid()"
        ))
    };
    let none_runs = |after: &str| {
        // The server notices a cancelled statement within moments.
        let ended = (0..600).any(|_| {
            let ended = running() == "0";
            if !ended {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            ended
        });
        assert!(ended, "{name} still runs after {after}");
    };
    let serving = start(&["--time-limit", "1"]);
    for _ in 0..9 {
        let late = serving.sql(endless);
        assert!(late["error"].as_str().unwrap().contains("longer than 1 s"), "{late}");
    }
    none_runs("the time limit");
    assert_eq!(serving.sql("select 1 as one")["rows"], json!([[1]]));
    let data = serving.data();
    assert!(data[0]["head"].is_object() && data.last().unwrap()["done"] == true, "{data:?}");
    drop(serving);

    let mut serving = start(&["--time-limit", "600"]);
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
        let body = json!({ "sql": endless }).to_string();
        stream.write_all(serving.request("/sql", &body, "").as_bytes()).unwrap();
        while running() == "0" {
            std::thread::yield_now();
        }
        stream
    };
    drop(ask());
    none_runs("its client left");
    let _asked = ask();
    let pid = serving.program.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(serving.program.wait().unwrap().code(), Some(0));
    none_runs("Ctrl-C");
}

#[test]
fn statements_end_on_postgres() {
    let (database, folder) = (crate::servers::Database::new(), tempfile::tempdir().unwrap());
    small(folder.path());
    let url = database.url();
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data", "-q"];
    run(folder.path(), etl.into_iter().chain(["--warehouse", &url])).good();
    let start = |arguments: &[&str]| {
        Serving::start(folder.path(), &[&["--warehouse", url.as_str()], arguments].concat())
    };
    statements_end_on_a_server(start, "endless_on_postgres");
    // Without permission, a superuser runs saved queries, but no SQL.
    let mut command = sparkify(folder.path(), ["serve", "--port", "0", "--warehouse", &url]);
    command.env_remove("SPARKIFY_ALLOW_SUPERUSER");
    let serving = Serving::spawn(command);
    let refused = serving.sql("select 1 as one");
    assert!(refused["error"].as_str().unwrap().contains("runs no SQL here"), "{refused}");
    let data = serving.data();
    assert!(data[0]["head"].is_object() && data.last().unwrap()["done"] == true, "{data:?}");
}

/// The emulator runs statements on the tests' PostgreSQL server, which lists them.
#[cfg(feature = "redshift")]
#[test]
fn statements_end_on_redshift() {
    let cluster = crate::redshift::Cluster::start();
    small(cluster.folder.path());
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data", "-q"];
    Ended::from(cluster.command(etl).output().unwrap()).good();
    for (name, url) in [
        ("endless_over_the_wire", cluster.url()),
        ("endless_over_the_data_api", "redshift:workgroup/emulator/dev".into()),
    ] {
        let start = |arguments: &[&str]| {
            let serve = ["serve", "--port", "0", "--warehouse", &url];
            Serving::spawn(cluster.command(serve.iter().chain(arguments)))
        };
        statements_end_on_a_server(start, name);
    }
}
