//! The course with an unchanged `dwh.cfg`: `cluster up --write-config`, `etl`, `query` and
//! `cluster down`; private and public, on three emulators.

use std::process::Command;

use aws_emulator::Behavior;
use redshift_emulator::copy::s3::{Permission, Role, Store};
use redshift_emulator::{DataApiOptions, Emulator, Options, User};

use super::{CONFIG, PASSWORD, Scene, at, ended};
use crate::support::{Ended, JSON_PATHS, event, put, song};

const BUCKET: &str = "udacity-dend";
const ROLE: &str = "arn:aws:iam::123456789012:role/sparkify/dwhRole";
const SECRET_ARN: &str =
    "arn:aws:secretsmanager:us-west-2:123456789012:secret:redshift!dwhcluster-dwhuser-AbCdEf";

/// An account in which `cluster up` creates the warehouse, the bucket, and the warehouse itself.
struct World {
    scene: Scene,
    bucket: s3_emulator::Server,
    warehouse: Emulator,
}

impl World {
    fn new() -> Self {
        let bucket = s3_emulator::Server::start();
        let put_object = |key: &str, text: String| bucket.put_in(BUCKET, key, text);
        put_object("log_json_path.json", JSON_PATHS.to_owned());
        put_object("song_data/A/a.json", song("SO1", "One", 200.5));
        let events = [
            event(1, 0, 1_541_376_000_796, "NextSong", "One"),
            event(1, 1, 1_541_376_001_000, "Home", ""),
            event(1, 2, 1_541_376_002_123, "NextSong", "Two"),
        ];
        put_object("log_data/2018/11/2018-11-05-events.json", events.concat());
        let mut store = Store::new(&bucket.endpoint(), aws_emulator::REGION);
        store.roles.push(Role {
            arn: ROLE.into(),
            key: s3_emulator::KEY.into(),
            secret: s3_emulator::SECRET.into(),
            permissions: vec![Permission::all(&format!("s3://{BUCKET}/"))],
        });
        let data_api = DataApiOptions {
            access_key: s3_emulator::KEY.into(),
            secret_key: s3_emulator::SECRET.into(),
            cluster: "dwhcluster".into(),
            workgroup: "dwhcluster".into(),
            secret_arn: SECRET_ARN.into(),
            ..DataApiOptions::default()
        };
        let options = Options {
            database: "dwh".into(),
            users: vec![User::new("dwhuser", PASSWORD)],
            store: Some(store),
            data_api,
            ..Options::default()
        };
        let warehouse = Emulator::start(options).unwrap();
        let endpoint = Some(("localhost".to_owned(), warehouse.port()));
        let scene = Scene::new(Behavior { endpoint, ..Behavior::default() });
        // The system's certificates; real clusters have a certificate of Amazon's.
        put(scene.folder.path(), "ca.pem", warehouse.ca_pem());
        Self { scene, bucket, warehouse }
    }

    /// A command that loads or reads. Only the credentials and the addresses of the emulators are
    /// in the environment, no region.
    fn sparkify(&self, arguments: &[&str]) -> Ended {
        let folder = self.scene.folder.path();
        let mut command: Command = at(self.scene.server.url(), folder, arguments);
        command
            .env_remove("AWS_REGION")
            .env("AWS_ACCESS_KEY_ID", s3_emulator::KEY)
            .env("AWS_SECRET_ACCESS_KEY", s3_emulator::SECRET)
            .env("AWS_ENDPOINT_URL_S3", self.bucket.endpoint())
            .env("AWS_ENDPOINT_URL_REDSHIFT_DATA", self.warehouse.data_api_endpoint())
            .env("SSL_CERT_FILE", folder.join("ca.pem"));
        ended(&mut command)
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.scene.folder.path().join("dwh.cfg")).unwrap()
    }

    /// Creates a warehouse, loads into it without an edit, and deletes it.
    fn walk(&self, options: &[&str]) {
        let up = self.scene.run(&[&["up", "--write-config"], options].concat()).good();
        assert!(up.contains("next          sparkify doctor\n"), "{up}");
        assert!(up.contains("              sparkify etl\n"), "{up}");
        let loaded = self.sparkify(&["etl"]).good();
        assert!(loaded.contains("copied by the warehouse"), "{loaded}");
        let count = ["query", "--format", "csv", "select count(*) from songplays"];
        assert_eq!(self.sparkify(&count).good().lines().nth(1), Some("2"));
        let form = options.iter().filter(|option| **option == "--serverless").copied();
        let down: Vec<&str> =
            ["down", "--yes", "--verify", "--write-config"].into_iter().chain(form).collect();
        self.scene.run(&down).good();
        assert_eq!(self.scene.left(), [""; 0]);
    }
}

#[test]
fn a_private_cluster_is_loaded_through_the_data_api() {
    for options in [&[][..], &["--serverless"], &["--public"], &["--password-from-config"]] {
        let world = World::new();
        world.walk(options);
        let calls = world.warehouse.data_api_calls();
        assert!(calls.iter().any(|call| call == "ExecuteStatement"), "{options:?}");
        assert!(world.warehouse.log().statements().iter().all(|it| it.data_api), "{options:?}");
        let host = |text: String| text.replace("DB_PORT=5439", "").replace("localhost", "");
        let left = world.file();
        let port = world.warehouse.port().to_string();
        assert_eq!(host(left.replace(&format!("DB_PORT={port}"), "")), host(CONFIG.to_owned()));
    }
}

#[test]
fn a_public_cluster_is_loaded_through_its_port() {
    let world = World::new();
    world.walk(&["--public", "--password-from-config"]);
    assert_eq!(world.warehouse.data_api_calls(), [""; 0]);
    assert!(!world.file().contains("[WAREHOUSE]"), "{}", world.file());
}

#[test]
fn the_file_has_the_connection_and_no_password() {
    let scene = Scene::usual();
    scene.run(&["up", "--write-config"]).good();
    let read = || std::fs::read_to_string(scene.folder.path().join("dwh.cfg")).unwrap();
    let url = format!("URL = redshift:cluster/dwhcluster/dwh?region=us-west-2&secret={SECRET_ARN}");
    assert!(read().ends_with(&format!("\n\n[WAREHOUSE]\n{url}\n")), "{}", read());
    scene.run(&["down", "--yes", "--write-config"]).good();
    assert_eq!(read(), CONFIG);
    // A warehouse that the user chose stays.
    put(scene.folder.path(), "dwh.cfg", format!("{CONFIG}\n[WAREHOUSE]\nURL=duckdb:mine.duckdb\n"));
    let up = scene.run(&["up", "--write-config"]);
    assert!(up.err.contains("warning: kept `duckdb:mine.duckdb` as [WAREHOUSE] URL"), "{up:#?}");
    assert!(read().ends_with("URL=duckdb:mine.duckdb\n"), "{}", read());
    scene.run(&["down", "--yes", "--write-config"]).good();
    assert!(read().ends_with("URL=duckdb:mine.duckdb\n"), "{}", read());
}

#[test]
fn what_to_run_next_is_complete_without_a_written_file() {
    let scene = Scene::usual();
    let up = scene.run(&["up"]).good();
    let etl = format!(
        "SPARKIFY_IAM_ROLE={ROLE} sparkify etl --warehouse 'redshift:cluster/dwhcluster/dwh?region=us-west-2&secret={SECRET_ARN}'"
    );
    assert!(up.contains(&etl), "{up}");
    assert!(up.contains("sparkify cluster down --verify\n"), "{up}");
    let json = scene.run(&["up", "--output", "json"]).json();
    assert!(json["warehouse"].as_str().unwrap().starts_with("redshift:cluster/"), "{json}");
    assert_eq!(json["next"][1], etl);
}

#[test]
fn a_region_that_is_not_set_is_that_of_the_host_or_the_bucket() {
    let scene = Scene::usual();
    let plan = |config: &str| {
        put(scene.folder.path(), "dwh.cfg", config);
        let mut command = scene.command(["cluster", "plan", "--output", "json"]);
        ended(command.env_remove("AWS_REGION")).json()["region"].clone()
    };
    let without = CONFIG.replace("DWH_REGION=us-west-2\n", "");
    assert_eq!(plan(&without), "us-west-2", "the emulator names this region of the bucket");
    let host = "HOST='dwhcluster.abc123xyz789.us-west-2.redshift.amazonaws.com'";
    let with_host = without.replace("HOST=''", host).replace("s3://udacity-dend", "data");
    let plan = |config: &str| {
        put(scene.folder.path(), "dwh.cfg", config);
        let mut command = scene.command(["cluster", "status", "--output", "json"]);
        ended(command.env_remove("AWS_REGION"))
    };
    assert_eq!(plan(&with_host).json()["region"], "us-west-2");
    let none = plan(&without.replace("s3://udacity-dend", "data")).bad(2);
    assert!(none.contains("no AWS region configured"), "{none}");
}
