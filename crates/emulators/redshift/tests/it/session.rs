//! Connections: TLS, authentication, startup parameters, server parameters, the extended protocol,
//! cancellation and the statement log.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use redshift_emulator::{Authentication, Emulator, Options, Outcome, User};

use crate::client::{Client, config, emulator, tls};

/// MG/connecting-ssl-support.html, DG/r_VERSION.html; psycopg#122: no
/// `standard_conforming_strings`.
#[test]
fn a_driver_connects_over_verified_tls_to_version_8() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    let reported: Vec<_> = client.parameters.iter().map(|(_, value)| value.as_deref()).collect();
    assert_eq!(reported, [Some("8.0.2"), Some("UNICODE"), None]);
    let version = client.value("select version()");
    assert!(version.starts_with("PostgreSQL 8.0.2 on ") && version.contains("Redshift 1.0."));
    assert_eq!(client.value("select current_database()"), "dev");
    assert_eq!(client.value("select current_user"), "awsuser");
}

/// The client verifies the certificate: the authority of another emulator is not trusted.
#[test]
fn another_authority_is_not_trusted() {
    let (one, other) = (emulator(), emulator());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(config(&one).connect(tls(&other))).err().unwrap();
    assert!(format!("{error:?}").contains("InvalidCertificate"), "{error:?}");
}

/// `require_ssl` (MG/connecting-ssl-support.html): TLS is required unless an option allows plain
/// text.
#[test]
fn plain_text_is_rejected_by_default() {
    for (plain_text, allowed) in [(false, false), (true, true)] {
        let emulator = Emulator::start(Options { plain_text, ..Options::default() }).unwrap();
        let mut config = config(&emulator);
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connected = runtime.block_on(config.connect(tokio_postgres::NoTls));
        match connected {
            Ok(_) => assert!(allowed),
            Err(error) => {
                let error = error.as_db_error().unwrap();
                assert!(!allowed && error.message().ends_with("SSL off"), "{error:?}");
                assert_eq!((error.severity(), error.code().code()), ("FATAL", "28000"));
            }
        }
    }
}

/// Connects with changed settings; returns `connected` or SQLSTATE and message.
fn connect_result(emulator: &Emulator, change: impl Fn(&mut tokio_postgres::Config)) -> String {
    let mut config = config(emulator);
    change(&mut config);
    match Client::try_connect(emulator, &config) {
        Ok(_) => "connected".to_owned(),
        Err(error) => match error.as_db_error() {
            Some(error) => format!("{} {}", error.code().code(), error.message()),
            None => format!("{error:?}"),
        },
    }
}

/// Only Amazon's drivers support SHA-256 digests (request 13): mtxr/vscode-sqltools#1415.
#[test]
fn three_authentication_methods_are_requested() {
    let user = |name: &str, authentication| User { authentication, ..User::new(name, "Secret-1") };
    let users = vec![
        user("ordinary", Authentication::Md5),
        user("clear", Authentication::Clear),
        user("digest", Authentication::Sha256),
    ];
    let emulator = Emulator::start(Options { users, ..Options::default() }).unwrap();
    for (name, password, expected) in [
        ("ordinary", "Secret-1", "connected"),
        ("ordinary", "wrong", "28000 password authentication failed for user \"ordinary\""),
        ("clear", "Secret-1", "connected"),
        ("clear", "wrong", "28000 password authentication failed for user \"clear\""),
        ("unknown", "Secret-1", "28000 password authentication failed for user \"unknown\""),
    ] {
        let result = connect_result(&emulator, |config| {
            config.user(name).password(password);
        });
        assert_eq!(result, expected);
    }
    let result = connect_result(&emulator, |config| {
        config.user("digest");
    });
    assert!(result.contains("unknown authentication tag `13`"), "{result}");
}

/// MG/generating-iam-credentials-overview.html: the name is `IAM:user`, the password expires, and
/// the session has the user's privileges.
#[test]
fn temporary_credentials_expire() {
    let emulator = emulator();
    let (name, password) = emulator.temporary_credentials("awsuser", Duration::from_mins(15));
    let mut config = config(&emulator);
    config.user(&name).password(&password);
    let client = Client::try_connect(&emulator, &config).unwrap();
    assert_eq!(client.value("select current_user"), "awsuser");
    let (name, password) = emulator.temporary_credentials("awsuser", Duration::ZERO);
    let result = connect_result(&emulator, |config| {
        config.user(&name).password(&password);
    });
    assert_eq!(result, "28000 password authentication failed for user \"IAM:awsuser\"");
}

/// launchbadge/sqlx#801: `extra_float_digits` above 2 is error 22023, an unknown parameter 42704.
#[test]
fn startup_parameters_are_validated() {
    let emulator = emulator();
    for (options, expected) in [
        ("-c extra_float_digits=2", "connected"),
        ("-c search_path=a,b -c statement_timeout=1000", "connected"),
        (
            "-c extra_float_digits=3",
            "22023 3 is outside the valid range for parameter \"extra_float_digits\" (-15 .. 2)",
        ),
        ("-c jit=off", "42704 unrecognized configuration parameter \"jit\""),
    ] {
        let result = connect_result(&emulator, |config| {
            config.options(options);
        });
        assert_eq!(result, expected);
    }
    let result = connect_result(&emulator, |config| {
        config.dbname("other");
    });
    assert_eq!(result, "3D000 database \"other\" does not exist");
}

/// A parameter of newer PostgreSQL versions is a fatal error.
#[test]
fn an_unknown_startup_parameter_is_fatal() {
    let emulator = Emulator::start(Options { plain_text: true, ..Options::default() }).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", emulator.port())).unwrap();
    let body = b"\0\x03\0\0user\0awsuser\0lc_messages\0C\0\0";
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], body].concat()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let text = String::from_utf8_lossy(&response);
    assert!(text.starts_with('E') && text.contains("FATAL\0C42704\0"), "{text}");
    assert!(text.contains("unrecognized configuration parameter \"lc_messages\""), "{text}");
}

/// The extended protocol works with types of PostgreSQL 8.0 in and outside of transactions, also
/// after errors.
#[test]
fn a_driver_prepares_binds_and_executes() {
    let emulator = emulator();
    let mut client = Client::connect(&emulator);
    client.rows("create table t (a int, b varchar(10))");
    client.runtime.block_on(async {
        let inner = &mut client.inner;
        let inserted = inner.execute("insert into t values ($1, $2)", &[&1_i32, &"x\\y"]).await;
        assert_eq!(inserted.unwrap(), 1);
        let row = inner.query_one("select a, b, nvl(b, 'z') from t where a = $1", &[&1_i32]).await;
        let row = row.unwrap();
        assert_eq!((row.get::<_, i32>(0), row.get::<_, &str>(1)), (1, "x\\y"));
        let transaction = inner.transaction().await.unwrap();
        transaction.execute("delete from t", &[]).await.unwrap();
        let rejected = transaction.query("select e'a'", &[]).await.unwrap_err();
        assert_eq!(rejected.code().unwrap().code(), "42704");
        let aborted = transaction.query("select 1", &[]).await.unwrap_err();
        assert_eq!(aborted.code().unwrap().code(), "25P02");
        transaction.rollback().await.unwrap();
        assert_eq!(
            inner.query_one("select count(*) from t", &[]).await.unwrap().get::<_, i64>(0),
            1
        );
        let created = inner.execute("create table u (a int encode raw primary key)", &[]).await;
        created.unwrap();
    });
    assert_eq!(
        client.value("select \"notnull\" || encoding from pg_table_def where tablename = 'u'"),
        "truenone"
    );
}

/// launchbadge/sqlx#3817, rust-postgres#167: catalogs and casts newer than version 8.0 are missing.
#[test]
fn newer_catalogs_are_missing() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    for table in ["pg_range", "pg_enum"] {
        let error = client.code_and_message(&format!("select * from pg_catalog.{table}"));
        assert_eq!(
            error,
            ("42P01".to_owned(), format!("relation \"pg_catalog.{table}\" does not exist"))
        );
    }
    let (_, message) = client.code_and_message("select oid::regtype::text from pg_catalog.pg_type");
    assert_eq!(message, "cannot cast type regtype to character varying");
}

/// DG/r_SUPER_type.html: SUPER has OID 4000. tokio-postgres fails to look it up, which aborts a
/// transaction; the simple protocol reads it.
#[test]
fn super_and_varbyte_have_redshifts_types() {
    let emulator = emulator();
    let mut client = Client::connect(&emulator);
    client.rows(
        "create table t (a super, b varbyte(10)); insert into t values ('{\"x\": 1}', 'abc')",
    );
    assert_eq!(
        client.rows("select * from t"),
        [[Some("{\"x\": 1}".to_owned()), Some("616263".to_owned())]]
    );
    client.runtime.block_on(async {
        let transaction = client.inner.transaction().await.unwrap();
        assert!(transaction.query("select a from t", &[]).await.is_err());
        let aborted = transaction.query("select 1", &[]).await.unwrap_err();
        assert_eq!(aborted.code().unwrap().code(), "25P02");
    });
}

/// MG/cancel: a cancel request reaches the running statement.
#[test]
fn a_statement_is_cancelled() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    let token = client.inner.cancel_token();
    emulator.faults().arm(
        redshift_emulator::When::Containing("select 77".to_owned(), 1),
        redshift_emulator::Fault::Slow(Duration::from_mins(10)),
    );
    let connector = tls(&emulator);
    let cancelling = client.runtime.spawn(async move {
        while token.cancel_query(connector.clone()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(client.code_and_message("select 77").0, "57014");
    cancelling.abort();
    assert_eq!(emulator.faults().left(), 0);
}

/// The log has each statement with its outcome.
#[test]
fn statements_are_logged() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("select 1; select 2");
    client.error("select nonsense");
    let log = emulator.log().statements();
    let texts: Vec<&str> = log.iter().map(|statement| statement.text.as_str()).collect();
    assert_eq!(texts, ["select 1", "select 2", "select nonsense"]);
    assert_eq!(log[0].outcome, Outcome::Done("SELECT".to_owned()));
    assert!(matches!(&log[2].outcome, Outcome::Failed(report) if report.code == "42703"));
    assert!(log.iter().all(|statement| statement.session == 1 && !statement.data_api));
}

/// `psql` connects over verified TLS and lists the tables.
#[test]
fn psql_connects_and_lists_tables() {
    let emulator = emulator();
    Client::connect(&emulator).rows("create table plays (a int)");
    let authority = std::env::temp_dir().join(format!("emulator-{}.pem", emulator.port()));
    std::fs::write(&authority, emulator.ca_pem()).unwrap();
    let url = emulator.url().replacen("redshift://", "postgres://", 1);
    let url = format!("{url}?sslmode=verify-full&sslrootcert={}", authority.display());
    let output = Command::new("psql").args(["-X", "-A", "-t", &url, "-c", "\\dt"]).output();
    let output = output.expect("the tests need `psql`");
    std::fs::remove_file(&authority).unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(stdout.trim(), "public|plays|table|awsuser", "{output:?}");
}

/// Settings that PostgreSQL lacks (DG/cm_chap_ConfigurationRef.html).
#[test]
fn settings_of_redshift_have_a_value() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    assert_eq!(client.value("show wlm_query_slot_count"), "1");
    client.rows("set wlm_query_slot_count to 3");
    assert_eq!(client.value("show wlm_query_slot_count"), "3");
    assert_eq!(client.value("show analyze_threshold_percent"), "10");
    client.rows("reset wlm_query_slot_count");
    assert_eq!(client.value("show wlm_query_slot_count"), "1");
}
