//! `doctor`: source, warehouse, credentials, clock and role, and each of their faults.

use serde_json::Value;

use aws_emulator::Behavior;

use super::{Scene, ended};
use crate::support::{Ended, event, put, run, song};

fn data(scene: &Scene) {
    put(scene.folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    put(
        scene.folder.path(),
        "data/log_data/e.json",
        event(1, 0, 1_541_376_000_796, "NextSong", "One"),
    );
}

fn local(scene: &Scene) -> Ended {
    run(
        scene.folder.path(),
        [
            "doctor",
            "--song-data",
            "data/song_data",
            "--log-data",
            "data/log_data",
            "--output",
            "json",
        ],
    )
}

/// Returns the state, message and hint of the line with this name.
fn line(report: &Ended, what: &str) -> (String, String) {
    let report: Value = serde_json::from_str(&report.out).unwrap_or_else(|_| panic!("{report:#?}"));
    let lines = report["lines"].as_array().unwrap();
    let line =
        lines.iter().find(|line| line["what"] == what).unwrap_or_else(|| panic!("{report:#}"));
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    (text("state"), format!("{} {}", text("said"), text("hint")))
}

#[test]
fn local_data_and_a_duckdb_file_pass_every_check() {
    let scene = Scene::usual();
    data(&scene);
    let first = local(&scene);
    assert_eq!(first.code, Some(0), "{first:#?}");
    for what in ["configuration", "credentials", "song data", "log data", "warehouse", "disk space"]
    {
        assert_eq!(line(&first, what).0, "ok", "{what}: {first:#?}");
    }
    assert!(!scene.folder.path().join("sparkify.duckdb").exists(), "doctor makes no warehouse");
    run(
        scene.folder.path(),
        ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"],
    )
    .good();
    let loaded = local(&scene);
    assert_eq!(loaded.code, Some(0), "{loaded:#?}");
    assert_eq!(line(&loaded, "rights").0, "ok");
    let tables = run(
        scene.folder.path(),
        [
            "query",
            "select count(*) as n from information_schema.tables where table_name like '%doctor%'",
        ],
    );
    assert!(tables.good().contains('0'), "the probe is taken back");
    put(scene.folder.path(), "dwh.cfg", "[S3]\nSONG_DATA=data/song_data\n");
    let text = run(scene.folder.path(), ["doctor"]).good();
    assert!(text.contains("log data") && text.contains("→ "), "{text}");
}

#[test]
fn missing_sources_and_warehouses_fail_their_checks() {
    let scene = Scene::usual();
    data(&scene);
    let at = |arguments: &[&str]| {
        let report =
            run(scene.folder.path(), ["doctor", "--output", "json"].iter().chain(arguments));
        assert_eq!(report.code, Some(1), "{report:#?}");
        report
    };
    let report = at(&["--song-data", "data/song_dat", "--log-data", "data/log_data"]);
    let (state, said) = line(&report, "song data");
    assert!(state == "failed" && said.contains("song_data"), "{said}");
    assert_eq!(line(&report, "log data").0, "ok");
    put(
        scene.folder.path(),
        "no.duckdb",
        "this is no warehouse, and long enough to be seen as none",
    );
    let files = ["--song-data", "data/song_data", "--log-data", "data/log_data"];
    let report = at(&[&files[..], &["--warehouse", "duckdb:no.duckdb"]].concat());
    assert_eq!(line(&report, "warehouse").0, "failed");
    let report = at(&[&files[..], &["--warehouse", "duckdb:nowhere/x.duckdb"]].concat());
    assert!(line(&report, "warehouse").1.contains("folder"), "{report:#?}");
    put(scene.folder.path(), "bad.cfg", "[S3]\nhunter2\n");
    let report = at(&["--config", "bad.cfg"]);
    assert_eq!(line(&report, "configuration").0, "failed");
    assert!(!report.out.contains("hunter2"));
}

/// Runs `doctor` for a load into Redshift whose warehouse does not exist.
fn far(scene: &Scene, change: impl FnOnce(&mut std::process::Command)) -> Ended {
    let arguments =
        ["doctor", "--output", "json", "--warehouse", "redshift://nobody@127.0.0.1:9/dev"];
    let mut command = scene.command(arguments);
    change(&mut command);
    let report = ended(&mut command);
    assert_eq!(report.code, Some(1), "{report:#?}");
    report
}

#[test]
fn credentials_clock_and_role_are_checked() {
    let scene = Scene::usual();
    assert!(line(&far(&scene, |_| {}), "role").1.contains("no IAM role is configured"));
    scene.run(&["up", "--write-config"]).good();
    let report = far(&scene, |_| {});
    assert!(line(&report, "credentials").1.contains(aws_emulator::CALLER));
    for what in ["clock", "credentials", "role", "role's rights"] {
        assert_eq!(line(&report, what).0, "ok", "{what}: {report:#?}");
    }
    assert_eq!(line(&report, "song data").0, "failed", "there is no such bucket");
    let wrong = far(&scene, |command| {
        command.env("AWS_SECRET_ACCESS_KEY", "wrongsecret");
    });
    let (state, said) = line(&wrong, "credentials");
    assert!(state == "failed" && said.contains("check the access key"), "{said}");
    assert!(!wrong.out.contains("wrongsecret"));
    let none = far(&scene, |command| {
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    });
    assert_eq!(line(&none, "credentials").0, "failed");
    scene.server.account().roles.get_mut("dwhRole").unwrap().policies.clear();
    let (state, said) = line(&far(&scene, |_| {}), "role's rights");
    assert!(state == "failed" && said.contains("may not read"), "{said}");
    scene.server.account().roles.get_mut("dwhRole").unwrap().trust =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}"#.into();
    let (state, said) = line(&far(&scene, |_| {}), "role");
    assert!(state == "failed" && said.contains("redshift.amazonaws.com"), "{said}");
    scene.run(&["down", "--yes"]).good();
    assert!(line(&far(&scene, |_| {}), "role").1.contains("the role `dwhRole` does not exist"));
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn credentials_of_a_profile_reach_the_control_plane() {
    let scene = Scene::usual();
    let keys = format!(
        "{{\"Version\":1,\"AccessKeyId\":\"{}\",\"SecretAccessKey\":\"{}\"}}",
        aws_emulator::KEY,
        aws_emulator::SECRET
    );
    put(scene.folder.path(), "keys.json", keys);
    let profile = "[profile work]\ncredential_process = cat keys.json\n";
    put(scene.folder.path(), ".aws/config", profile);
    let with = |profile: &str| {
        let report = far(&scene, |command| {
            command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
            command.env("AWS_PROFILE", profile);
        });
        line(&report, "credentials")
    };
    let (state, said) = with("work");
    assert!(state == "ok" && said.contains(aws_emulator::CALLER), "{said}");
    let (state, said) = with("wrok");
    assert!(state == "failed" && said.contains("did you mean `work`?"), "{said}");
}

#[test]
fn without_the_simulator_the_policy_itself_is_read() {
    let scene = Scene::new(Behavior { denies_simulation: true, ..Behavior::default() });
    scene.run(&["up", "--write-config"]).good();
    assert_eq!(line(&far(&scene, |_| {}), "role's rights").0, "ok");
    scene.server.account().roles.get_mut("dwhRole").unwrap().policies.clear();
    let (state, said) = line(&far(&scene, |_| {}), "role's rights");
    assert!(state == "failed" && said.contains("run `sparkify cluster up` to update it"), "{said}");
}

/// Redshift does not accept the port of a tunnel for a new cluster.
#[test]
fn the_port_of_a_tunnel_is_no_fault() {
    let scene = Scene::usual();
    let config =
        super::CONFIG.replace("DB_PORT=5439", "DB_PORT=15439").replace("DWH_PORT=5439\n", "");
    put(scene.folder.path(), "dwh.cfg", config);
    let report = far(&scene, |_| {});
    assert!(!report.out.contains("cluster settings"), "{report:#?}");
    assert!(line(&report, "credentials").1.contains(aws_emulator::CALLER));
    for command in ["plan", "up"] {
        assert!(scene.run(&[command]).bad(2).contains("`15439` for the port"));
    }
    scene.run(&["status"]).good();
}

#[test]
fn a_changed_role_is_reported() {
    let scene = Scene::usual();
    scene.run(&["up", "--write-config"]).good();
    scene
        .server
        .account()
        .roles
        .get_mut("dwhRole")
        .unwrap()
        .attached
        .push("AdministratorAccess".into());
    let report = far(&scene, |_| {});
    assert!(
        report.out.contains("AdministratorAccess`, which sparkify did not write"),
        "{report:#?}"
    );
}
