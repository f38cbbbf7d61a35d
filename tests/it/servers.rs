//! PostgreSQL server of `scripts/test.sh`. Each test has its own database, dropped at its end.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Parts of the URL of the server: `postgres://USER:PASSWORD@localhost:PORT/DATABASE`.
pub(crate) struct Server {
    pub user: String,
    pub password: String,
    pub port: String,
}

fn required(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run `scripts/test.sh`"))
}

impl Server {
    /// Parses the URL that `scripts/postgres.sh` writes.
    pub(crate) fn of(url: &str) -> Self {
        let (credentials, address) =
            url.trim_start_matches("postgres://").rsplit_once('@').expect("a user");
        let (user, password) = credentials.split_once(':').expect("a password");
        let port = address.split(['/', ':']).nth(1).expect("a port");
        Self { user: user.into(), password: password.into(), port: port.into() }
    }
}

pub(crate) fn server() -> Server {
    Server::of(&required("SPARKIFY_TEST_POSTGRES"))
}

/// Returns the certificate of the authority of the server.
pub(crate) fn authority() -> PathBuf {
    required("SPARKIFY_TEST_POSTGRES_CA").into()
}

/// Database that is dropped with this value.
pub(crate) struct Database {
    pub name: String,
    pub server: Server,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// Creates an empty database.
    pub(crate) fn new() -> Self {
        Self::created("")
    }

    /// Creates a database with these options.
    pub(crate) fn created(options: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sparkify_{}_{number}", std::process::id());
        let server = server();
        psql(&server, "postgres", &format!("create database {name} {options}"));
        Self { name, server }
    }

    /// Creates an empty database with an unusual locale and settings, on which results must not
    /// depend.
    pub(crate) fn odd() -> Self {
        let database =
            Self::created("template template0 locale_provider icu icu_locale 'de-u-kf-upper'");
        for setting in [
            "timezone to 'America/St_Johns'",
            "datestyle to 'German, DMY'",
            "intervalstyle to 'sql_standard'",
            "bytea_output to 'escape'",
            "extra_float_digits to -10",
            "default_transaction_isolation to 'serializable'",
            "default_transaction_read_only to on",
            "search_path to nowhere",
        ] {
            let sql = format!("alter database {} set {setting}", database.name);
            psql(&database.server, "postgres", &sql);
        }
        database
    }

    /// Returns its URL, with the password.
    pub(crate) fn url(&self) -> String {
        let Server { user, password, port } = &self.server;
        format!("postgres://{user}:{password}@localhost:{port}/{}", self.name)
    }

    /// Runs SQL with `psql`. Returns one line per row, with fields separated by `|`.
    pub(crate) fn psql(&self, sql: &str) -> String {
        psql(&self.server, &self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("drop database {} with (force)", self.name);
        let ended = psql_command(&self.server, "postgres", &drop).output();
        if !std::thread::panicking() {
            assert!(ended.expect("psql starts").status.success(), "{drop}");
        }
    }
}

pub(crate) fn psql_command(server: &Server, database: &str, sql: &str) -> Command {
    let mut command = Command::new("psql");
    command.args(["-h", "localhost", "-p", &server.port, "-U", &server.user, "-d", database]);
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
    if !sql.is_empty() {
        command.args(["-c", sql]);
    }
    command.env("PGPASSWORD", &server.password);
    command
}

fn psql(server: &Server, database: &str, sql: &str) -> String {
    let ended = psql_command(server, database, sql).output().expect("psql starts");
    let err = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{sql}: {err}");
    String::from_utf8(ended.stdout).expect("UTF-8").trim_end().to_owned()
}
