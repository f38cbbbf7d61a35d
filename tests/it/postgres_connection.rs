//! The way to a PostgreSQL server: who is asked, what is verified, where the password comes from, and what is said when it fails.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::servers::{Database, Server, authority, server};
use crate::support::{Ended, sparkify};

const ASK: [&str; 4] = ["query", "--format", "csv", "select 1 as one"];

/// Asks the server behind `url`, with these variables and no others that speak of it.
fn ask(folder: &Path, url: &str, set: &[(&str, &str)]) -> Ended {
    let mut command = sparkify(folder, ASK.into_iter().chain(["--warehouse", url]));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.env("HOME", folder).envs(set.iter().copied());
    Ended::from(command.output().unwrap())
}

fn place() -> (tempfile::TempDir, Server) {
    (tempfile::tempdir().unwrap(), server())
}

#[test]
fn the_password_comes_from_the_url_the_environment_or_the_password_file() {
    let (folder, Server { user, password, port }) = place();
    let good = |url: &str, set: &[(&str, &str)]| {
        assert_eq!(ask(folder.path(), url, set).good(), "one\n1\n");
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
    let words = ask(folder.path(), &url, &[]).bad(2);
    assert!(words.contains(".pgpass`: it is accessible to other users"), "{words}");
    assert!(words.contains("requires a password for `postgres`"), "{words}");
}

#[test]
fn what_is_not_believed_is_not_connected_to() {
    let (folder, Server { user, password, port }) = place();
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
    let ours = roots(&authority);
    for (host, rest) in [
        ("localhost", format!("sslmode=verify-full&{ours}")),
        ("localhost", ours.clone()),
        ("127.0.0.1", format!("sslmode=verify-ca&{ours}")),
        ("127.0.0.1", "sslmode=require".into()),
        ("127.0.0.1", "sslmode=disable".into()),
    ] {
        ask(folder.path(), &url(host, &rest), &[]).good();
    }
    for (host, rest, words) in [
        ("127.0.0.1", format!("sslmode=verify-full&{ours}"), "is not for `127.0.0.1`"),
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
        let said = ask(folder.path(), &url(host, &rest), &[]).bad(2);
        assert!(said.contains(words) && said.contains("hint: "), "{rest}: {said}");
        assert!(!said.contains(&password), "{said}");
    }
}

/// Whether a session is encrypted is what the server says, not what the program believes.
#[test]
fn the_server_sees_what_was_asked_for() {
    let (folder, Server { user, password, port }) = place();
    let ours = authority();
    for (rest, encrypted) in [
        ("", "false"),
        ("?sslmode=require", "true"),
        (&format!("?sslrootcert={}", ours.display()), "true"),
    ] {
        let url = format!("postgres://{user}:{password}@localhost:{port}/postgres{rest}");
        let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
        let arguments = ["query", "--format", "csv", sql, "--warehouse", &url];
        let answer = Ended::from(sparkify(folder.path(), arguments).output().unwrap()).good();
        assert_eq!(answer, format!("ssl\n{encrypted}\n"), "{rest}");
    }
}

#[test]
fn a_connection_that_fails_says_what_to_do_and_no_password() {
    let (folder, Server { user, password, port }) = place();
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
    for (url, words) in cases {
        for verbosity in ["--quiet", "-vv"] {
            let mut command =
                sparkify(folder.path(), ASK.into_iter().chain(["--warehouse", &url, verbosity]));
            let said = Ended::from(command.env("HOME", folder.path()).output().unwrap()).bad(2);
            assert!(said.contains(words) && said.contains("hint: "), "{url}: {said}");
            assert!(!said.contains("s3cret") && !said.contains(&password), "{said}");
        }
    }
}

#[test]
fn nothing_that_is_said_holds_the_password() {
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
fn a_database_that_cannot_hold_our_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::created("template template0 encoding 'LATIN1' locale 'C'");
    let said = Ended::from(
        sparkify(folder.path(), ["create-tables", "--warehouse", &database.url()])
            .output()
            .unwrap(),
    )
    .bad(2);
    assert!(said.contains("in the encoding LATIN1, not in UTF-8"), "{said}");
}

#[test]
fn a_server_is_examined_before_a_load() {
    let (folder, Server { user, password, port }) = place();
    let examined = |url: &str| {
        Ended::from(sparkify(folder.path(), ["doctor", "--warehouse", url]).output().unwrap())
    };
    let told = examined(&format!("postgres://{user}:{password}@localhost:{port}/postgres")).good();
    assert!(told.contains(" is PostgreSQL 1"), "{told}");
    assert!(told.contains("tables can be created, filled and dropped"), "{told}");
    let wrong = examined(&format!("postgres://{user}:wr0ng@localhost:{port}/postgres"));
    assert_eq!(wrong.code, Some(1), "{wrong:#?}");
    let all = wrong.out + &wrong.err;
    let line = |what: &str| all.lines().find(|line| line.starts_with(what)).unwrap_or_default();
    assert!(line("login").contains("failed") && line("login").contains("password"), "{all}");
    assert!(line("warehouse").contains("not tried"), "{all}");
    assert!(!all.contains("wr0ng") && !told.contains(password.as_str()), "{all}");
}
