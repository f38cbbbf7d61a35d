//! Amazon Redshift, tested with an emulator in front of PostgreSQL and an S3 store that it
//! reads with a role.

mod clients;
mod comments;
mod copy_failures;
mod data_api;
mod direct;
mod evidence;
mod faults;
mod load;
mod plans;
mod probes;
mod upgrade;
mod values;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use redshift_emulator::copy::s3::{Permission, Role, Store};
use redshift_emulator::{Behavior, DataApiOptions, Emulator, Options};
use s3_emulator::{BUCKET, KEY, SECRET, Server};

use crate::support::{self, Ended, event, put, song, sparkify};

const ROLE: &str = "arn:aws:iam::000000000000:role/reader";
const REGION: &str = "us-west-2";
pub(crate) const ETL: [&str; 5] =
    ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];

/// A cluster, the bucket with its staging prefix, and a working folder.
pub(crate) struct Cluster {
    pub emulator: Emulator,
    pub store: Server,
    pub folder: tempfile::TempDir,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::without(Vec::new())
    }

    /// Starts a cluster with two songs and two plays to load, with other options of the
    /// Data API.
    fn with_data_api(change: impl FnOnce(&mut DataApiOptions)) -> Self {
        let cluster = Self::launch(|options| change(&mut options.data_api));
        small(cluster.folder.path());
        cluster
    }

    /// Starts a cluster without some of Redshift's behaviors.
    fn without(without: Vec<Behavior>) -> Self {
        Self::launch(|options| options.disabled = without)
    }

    pub(crate) fn launch(change: impl FnOnce(&mut Options)) -> Self {
        let store = Server::start();
        let mut reads = Store::new(&store.endpoint(), REGION);
        reads.parquet = Some(clients::read_parquet);
        reads.roles.push(Role {
            arn: ROLE.into(),
            key: KEY.into(),
            secret: SECRET.into(),
            permissions: ["staging", "lists", "data"]
                .map(|folder| Permission::all(&format!("s3://{BUCKET}/{folder}/")))
                .to_vec(),
        });
        let data_api = DataApiOptions {
            access_key: KEY.into(),
            secret_key: SECRET.into(),
            ..DataApiOptions::default()
        };
        let mut options = Options { store: Some(reads), data_api, ..Options::default() };
        change(&mut options);
        let emulator = Emulator::start(options).expect("an emulator");
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "ca.pem", emulator.ca_pem());
        Self { emulator, store, folder }
    }

    /// Starts a cluster with two songs and two plays to load.
    fn with_data() -> Self {
        let cluster = Self::start();
        small(cluster.folder.path());
        cluster
    }

    /// Returns its URL, with verified TLS.
    pub(crate) fn url(&self) -> String {
        let authority = self.folder.path().join("ca.pem");
        format!("{}?sslrootcert={}", self.emulator.url(), authority.display())
    }

    /// Writes a `dwh.cfg` with bucket and role, which is used for this URL.
    pub(crate) fn configure(&self) {
        let config = format!(
            "[AWS]\nKEY={KEY}\nSECRET={SECRET}\nREGION={REGION}\n[IAM_ROLE]\nARN={ROLE}\n\
             [S3]\nENDPOINT_URL={}\nSTAGING=s3://{BUCKET}/staging\n",
            self.store.endpoint()
        );
        put(self.folder.path(), "cluster.cfg", config);
        support::configure(self.emulator.url(), self.folder.path().join("cluster.cfg"));
    }

    /// Returns the program with the cluster as its warehouse.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = sparkify(self.folder.path(), arguments);
        for (name, _) in std::env::vars() {
            if name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.folder.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.env("AWS_REGION", REGION).env("AWS_ENDPOINT_URL_S3", self.store.endpoint());
        command.env("AWS_ENDPOINT_URL_REDSHIFT_DATA", self.emulator.data_api_endpoint());
        command.env("SPARKIFY_WAREHOUSE", self.url()).env("SPARKIFY_IAM_ROLE", ROLE);
        command.env("SPARKIFY_STAGING", format!("s3://{BUCKET}/staging"));
        command
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ended {
        ended(&mut self.command(arguments))
    }

    /// Returns the second line of a query's CSV.
    fn asked(&self, sql: &str) -> String {
        let out = self.run(["query", "--format", "csv", sql]).good();
        out.lines().nth(1).unwrap_or_default().to_owned()
    }

    /// Returns the keys of staged files in the bucket.
    fn staged(&self) -> Vec<String> {
        self.store.keys(BUCKET).into_iter().filter(|key| key.starts_with("staging/")).collect()
    }

    /// Returns the statements sent since the log was cleared.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.emulator.log().statements().into_iter().map(|statement| statement.text).collect()
    }

    /// Asserts that all tables exist, every data test passes, no staged file is left, and
    /// each play is there once.
    fn assert_whole(&self, loads: u32, plays: u64) {
        self.run(["check"]).good();
        let published = "select count(*) from etl_loads where outcome = 'published'";
        assert_eq!(self.asked(published), loads.to_string());
        assert_eq!(self.asked("select count(*) from songplays"), plays.to_string());
        assert_eq!(self.staged(), Vec::<String>::new());
        assert_eq!(self.store.open_uploads(), 0);
    }
}

/// Runs the command to its end, and asserts that it prints no secret.
fn ended(command: &mut Command) -> Ended {
    let ended = Ended::from(command.output().expect("the program starts"));
    for secret in [SECRET, "Emulator-1", "AWS4-HMAC"] {
        assert!(!ended.err.contains(secret) && !ended.out.contains(secret), "{ended:#?}");
    }
    ended
}

pub(crate) fn small(folder: &Path) {
    put(folder, "data/song_data/a.json", song("SO1", "One", 200.5));
    put(folder, "data/song_data/b.json", song("SO2", "It's \\\\ two", 100.0));
    let events = [
        event(1, 0, 1_541_376_000_796, "NextSong", "One"),
        event(1, 1, 1_541_376_001_000, "Home", ""),
        event(1, 2, 1_541_376_002_123, "NextSong", "It's \\\\ two"),
    ];
    put(folder, "data/log_data/2018/11/2018-11-05-events.json", events.concat());
}
