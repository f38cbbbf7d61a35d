//! Connections to PostgreSQL: TLS verification, passwords, and error messages.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::servers::{Database, Server, authority, server};
use crate::support::{Ended, sparkify};

const QUERY: [&str; 4] = ["query", "--format", "csv", "select 1 as one"];

/// Queries the server at `url`, with these and no other `PG*` variables.
fn query(folder: &Path, url: &str, set: &[(&str, &str)]) -> Ended {
    let mut command = sparkify(folder, QUERY.into_iter().chain(["--warehouse", url]));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.env("HOME", folder).envs(set.iter().copied());
    Ended::from(command.output().unwrap())
}

fn setup() -> (tempfile::TempDir, Server) {
    (tempfile::tempdir().unwrap(), server())
}

#[test]
fn the_password_comes_from_the_url_the_environment_or_the_password_file() {
    let (folder, Server { user, password, port }) = setup();
    let good = |url: &str, set: &[(&str, &str)]| {
        assert_eq!(query(folder.path(), url, set).good(), "one\n1\n");
    };
    good(&format!("postgresql://{user}:{password}@localhost:{port}/postgres"), &[]);
    let url = format!("postgres://{user}@127.0.0.1:{port}/postgres");
    good(&url, &[("PGPASSWORD", &password)]);
    let all = [
        ("PGHOST", "localhost"),
        ("PGPORT", &port),
        ("PGUSER", &user),
        ("PGPASSWORD", &password),
        ("PGDATABASE", "postgres"),
    ];
    good("postgres://", &all);
    let file = folder.path().join(".pgpass");
    std::fs::write(
        &file,
        format!("# ours\nother:*:*:*:wrong\n127.0.0.1:{port}:*:{user}:{password}\n"),
    )
    .unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    good(&url, &[]);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let message = query(folder.path(), &url, &[]).bad(2);
    assert!(message.contains(".pgpass`: it is accessible to other users"), "{message}");
    assert!(message.contains("requires a password for `postgres`"), "{message}");
}

#[test]
fn a_certificate_that_is_not_trusted_is_rejected() {
    let (folder, Server { user, password, port }) = setup();
    let authority = authority();
    let other = folder.path().join("other.pem");
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=other",
            "-keyout",
            "/dev/null",
            "-out",
        ])
        .arg(&other)
        .output();
    assert!(made.unwrap().status.success());
    let url = |host: &str, rest: &str| {
        format!("postgres://{user}:{password}@{host}:{port}/postgres?{rest}")
    };
    let roots = |file: &Path| format!("sslrootcert={}", file.display());
    let trusted = roots(&authority);
    for (host, rest) in [
        ("localhost", format!("sslmode=verify-full&{trusted}")),
        ("localhost", trusted.clone()),
        ("127.0.0.1", format!("sslmode=verify-ca&{trusted}")),
        ("127.0.0.1", "sslmode=require".into()),
        ("127.0.0.1", "sslmode=disable".into()),
    ] {
        query(folder.path(), &url(host, &rest), &[]).good();
    }
    for (host, rest, expected) in [
        ("127.0.0.1", format!("sslmode=verify-full&{trusted}"), "is not for `127.0.0.1`"),
        (
            "localhost",
            format!("sslmode=verify-full&{}", roots(&other)),
            "not signed by a trusted authority",
        ),
        (
            "localhost",
            format!("sslmode=verify-ca&{}", roots(&other)),
            "not signed by a trusted authority",
        ),
        (
            "localhost",
            format!("sslmode=require&{}", roots(&other)),
            "not signed by a trusted authority",
        ),
        ("localhost", "sslmode=verify-full".into(), "not signed by a trusted authority"),
        (
            "localhost",
            "sslrootcert=/nowhere.pem".into(),
            "cannot use the certificates in `/nowhere.pem`",
        ),
        ("localhost", "sslmode=prefer".into(), "do not guarantee encryption"),
    ] {
        let message = query(folder.path(), &url(host, &rest), &[]).bad(2);
        assert!(message.contains(expected) && message.contains("hint: "), "{rest}: {message}");
        assert!(!message.contains(&password), "{message}");
    }
}

/// `pg_stat_ssl` shows whether the session is encrypted.
#[test]
fn the_session_is_encrypted_as_configured() {
    let (folder, Server { user, password, port }) = setup();
    let trusted = authority();
    for (rest, encrypted) in [
        ("", "false"),
        ("?sslmode=require", "true"),
        (&format!("?sslrootcert={}", trusted.display()), "true"),
    ] {
        let url = format!("postgres://{user}:{password}@localhost:{port}/postgres{rest}");
        let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
        let arguments = ["query", "--format", "csv", sql, "--warehouse", &url];
        let result = Ended::from(sparkify(folder.path(), arguments).output().unwrap()).good();
        assert_eq!(result, format!("ssl\n{encrypted}\n"), "{rest}");
    }
}

#[test]
fn a_failed_connection_prints_a_hint_and_no_password() {
    let (folder, Server { user, password, port }) = setup();
    let cases = [
        (
            format!("postgres://{user}:s3cret@localhost:{port}/postgres"),
            "the password of `postgres` is wrong",
        ),
        (
            format!("postgres://{user}:{password}@localhost:{port}/nowhere"),
            "there is no database `nowhere`",
        ),
        (format!("postgres://nobody:s3cret@localhost:{port}/postgres"), "`nobody` is wrong"),
        (
            "postgres://u:s3cret@localhost:1/postgres".into(),
            "no server listens on port 1 of `localhost`",
        ),
        ("postgres://u:s3cret@no-such-host.invalid/d".into(), "cannot connect"),
        ("postgres://u:s3cret@/d?host=/nowhere".into(), "no socket for port 5432 in `/nowhere`"),
        (
            "postgres://u:s3cret@localhost:99999/d".into(),
            "invalid warehouse URL `postgres://****@localhost:99999/d`",
        ),
    ];
    for (url, expected) in cases {
        for verbosity in ["--quiet", "-vv"] {
            let mut command =
                sparkify(folder.path(), QUERY.into_iter().chain(["--warehouse", &url, verbosity]));
            let message = Ended::from(command.env("HOME", folder.path()).output().unwrap()).bad(2);
            assert!(message.contains(expected) && message.contains("hint: "), "{url}: {message}");
            assert!(!message.contains("s3cret") && !message.contains(&password), "{message}");
        }
    }
}

#[test]
fn no_output_contains_the_password() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::new());
    let url = database.url();
    for arguments in
        [["create-tables", "-vv"], ["describe", "-vv"], ["history", "-vv"], ["shell", "-vv"]]
    {
        let ended = Ended::from(
            sparkify(folder.path(), arguments.into_iter().chain(["--warehouse", &url]))
                .output()
                .unwrap(),
        );
        assert!(!format!("{ended:?}").contains(&database.server.password), "{ended:?}");
        ended.good();
    }
    assert_eq!(database.psql("select count(*) from songplays"), "0");
}

#[test]
fn a_database_without_utf8_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::created("template template0 encoding 'LATIN1' locale 'C'");
    let message = Ended::from(
        sparkify(folder.path(), ["create-tables", "--warehouse", &database.url()])
            .output()
            .unwrap(),
    )
    .bad(2);
    assert!(message.contains("in the encoding LATIN1, not in UTF-8"), "{message}");
}

#[test]
fn doctor_examines_a_server() {
    let (folder, Server { user, password, port }) = setup();
    let examined = |url: &str| {
        Ended::from(sparkify(folder.path(), ["doctor", "--warehouse", url]).output().unwrap())
    };
    let report =
        examined(&format!("postgres://{user}:{password}@localhost:{port}/postgres")).good();
    assert!(report.contains(" is PostgreSQL 1"), "{report}");
    assert!(report.contains("tables can be created, filled and dropped"), "{report}");
    let wrong = examined(&format!("postgres://{user}:wr0ng@localhost:{port}/postgres"));
    assert_eq!(wrong.code, Some(1), "{wrong:#?}");
    let all = wrong.out + &wrong.err;
    let line = |what: &str| all.lines().find(|line| line.starts_with(what)).unwrap_or_default();
    assert!(line("login").contains("failed") && line("login").contains("password"), "{all}");
    assert!(line("warehouse").contains("not tried"), "{all}");
    assert!(!all.contains("wr0ng") && !report.contains(password.as_str()), "{all}");
}
