//! S3 access: roles, permissions, server errors and retries.

use redshift_emulator::copy::s3::{Permission, Role};
use s3_emulator::{Fault, KEY, SECRET, Server};

use crate::{ROLE, columns, load, store};

const COPY: &str =
    "copy t from 's3://bucket/in/' iam_role 'arn:aws:iam::000000000000:role/reader' json 'auto'";

fn server_with_objects() -> Server {
    let server = Server::start();
    server.put("in/a", r#"{"a": 1}"#);
    server.put("in/b", r#"{"a": 2}{"a": 3}"#);
    server
}

#[test]
fn a_role_must_be_attached_to_the_cluster() {
    let server = server_with_objects();
    let columns = columns(&["a integer"]);
    let store = store(&server);
    let unknown = COPY.replace("role/reader", "role/writer");
    let failure = load(&store, &unknown, &columns).unwrap_err();
    assert!(
        failure
            .message
            .contains("not authorized to assume IAM Role arn:aws:iam::000000000000:role/writer"),
        "{failure}"
    );
    let default = COPY.replace("'arn:aws:iam::000000000000:role/reader'", "default");
    assert_eq!(load(&store, &default, &columns).unwrap().loaded_rows, 3);
    let chained = COPY.replace("/reader'", "/reader,arn:aws:iam::000000000000:role/other'");
    assert!(load(&store, &chained, &columns).unwrap_err().message.contains("role/other"));
    let with_credentials =
        format!("copy t from 's3://bucket/in/' credentials 'aws_iam_role={ROLE}' json 'auto'");
    assert_eq!(load(&store, &with_credentials, &columns).unwrap().loaded_rows, 3);
}

#[test]
fn a_role_reads_only_objects_that_its_policy_allows() {
    let server = server_with_objects();
    server.put(
        "manifest",
        r#"{"entries": [{"url": "s3://bucket/in/a"}, {"url": "s3://bucket/in/gone"}]}"#,
    );
    let columns = columns(&["a integer"]);
    let mut store = store(&server);
    let objects = |list| Permission { prefix: "s3://bucket/in/".to_owned(), list, get: true };
    let manifest = Permission { list: false, ..Permission::all("s3://bucket/manifest") };
    let denied = "S3ServiceException:Access Denied,Status 403,Error AccessDenied";

    store.roles[0].permissions = vec![objects(true)];
    assert_eq!(load(&store, COPY, &columns).unwrap().loaded_rows, 3);
    let all = COPY.replace("/in/", "/");
    assert_eq!(load(&store, &all, &columns).unwrap_err().message, denied);
    store.roles[0].permissions = vec![Permission { get: false, ..objects(true) }];
    let failure = load(&store, COPY, &columns).unwrap_err();
    assert_eq!(failure.message, denied);
    assert!(!failure.started, "loading has begun");

    // A role without list permission gets "access denied" for a missing object.
    let by_manifest = format!("{} manifest", COPY.replace("/in/", "/manifest"));
    store.roles[0].permissions = vec![objects(false), manifest.clone()];
    assert_eq!(load(&store, &by_manifest, &columns).unwrap_err().message, denied);
    store.roles[0].permissions = vec![objects(true), manifest];
    assert_eq!(load(&store, &by_manifest, &columns).unwrap().loaded_rows, 1);
}

#[test]
fn invalid_keys_and_missing_buckets_fail_the_load() {
    let server = server_with_objects();
    let columns = columns(&["a integer"]);
    let store = store(&server);
    for (secret, message) in [("wrong", "SignatureDoesNotMatch"), (SECRET, "")] {
        let by_key = format!(
            "copy t from 's3://bucket/in/' access_key_id '{KEY}' secret_access_key '{secret}' json 'auto'"
        );
        match load(&store, &by_key, &columns) {
            Ok(loaded) => assert!(message.is_empty() && loaded.loaded_rows == 3),
            Err(failure) => {
                assert!(!message.is_empty() && failure.message.contains(message), "{failure}");
            }
        }
    }
    let mut elsewhere = store.clone();
    elsewhere.roles[0].permissions = vec![Permission::all("s3://none/")];
    let failure = load(&elsewhere, &COPY.replace("//bucket/", "//none/"), &columns).unwrap_err();
    assert!(
        failure.message.contains("The specified bucket does not exist,Status 404"),
        "{failure}"
    );
    let unknown = Role { key: "NOTAKEY".to_owned(), ..store.roles[0].clone() };
    elsewhere.roles = vec![unknown];
    let failure = load(&elsewhere, COPY, &columns).unwrap_err();
    assert!(failure.message.contains("InvalidAccessKeyId"), "{failure}");
    assert!(!failure.message.contains(SECRET), "{failure}");
}

#[test]
fn a_bucket_in_another_region_needs_the_region_option() {
    let server = server_with_objects();
    let columns = columns(&["a integer"]);
    let store = store(&server);
    "eu-west-1".clone_into(&mut server.state.region.lock().unwrap());
    let failure = load(&store, COPY, &columns).unwrap_err();
    assert!(
        failure.message.contains("must be addressed using the specified endpoint"),
        "{failure}"
    );
    assert!(failure.message.contains("Status 301,Error PermanentRedirect"), "{failure}");
    let with_region = format!("{COPY} region 'eu-west-1'");
    assert_eq!(load(&store, &with_region, &columns).unwrap().loaded_rows, 3);
}

#[test]
fn transient_errors_are_retried_and_every_row_is_loaded_once() {
    let columns = columns(&["a integer"]);
    for fault in [
        Fault::Status(503, "SlowDown"),
        Fault::Status(500, "InternalError"),
        Fault::Reset,
        Fault::TruncateAt(0),
        Fault::TruncateAt(5),
        Fault::WrongLength(9),
    ] {
        let server = server_with_objects();
        server.fail("in/b", fault.clone(), 3);
        server.fail("list-type=2", fault.clone(), 2);
        let loaded = load(&store(&server), COPY, &columns);
        let rows = loaded.unwrap_or_else(|failure| panic!("{fault:?}: {failure}")).rows;
        let values: Vec<_> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
        assert_eq!(values, ["1", "2", "3"], "{fault:?}");
        assert_eq!(server.faults_left(), 0, "{fault:?} did not occur");
    }
}

#[test]
fn persistent_errors_fail_the_load() {
    let columns = columns(&["a integer"]);
    for (fault, message) in [
        (
            Fault::Status(503, "SlowDown"),
            "S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown",
        ),
        (Fault::Status(500, "InternalError"), "Status 500,Error InternalError"),
        (Fault::Reset, "S3CurlException"),
        (Fault::TruncateAt(5), "S3CurlException: Transferred a partial file, CurlError 18"),
        (Fault::Status(403, "AccessDenied"), "S3ServiceException:Access Denied,Status 403"),
        (Fault::Deleted, "The specified key does not exist"),
    ] {
        let server = server_with_objects();
        server.fail("in/b", fault.clone(), 50);
        let failure = load(&store(&server), COPY, &columns).unwrap_err();
        assert!(failure.message.contains(message), "{fault:?}: {failure}");
        assert!(!failure.message.contains(SECRET), "{failure}");
        assert_eq!(failure.sqlstate, "XX000");
        assert!(failure.started);
        assert_eq!(failure.files.len(), 1, "only the first file was read");
        let attempts = server.take_requests().iter().filter(|line| line.contains("in/b")).count();
        let permanent = matches!(fault, Fault::Status(403, _) | Fault::Deleted);
        assert_eq!(attempts, if permanent { 1 } else { 5 }, "{fault:?}");
    }
}

#[test]
fn listings_have_pages_and_keys_may_have_special_characters() {
    let server = Server::start();
    for number in 0..2100 {
        server.put(&format!("in/{number:04}"), "");
    }
    for name in ["a b", "a+b", "100%", "Bj\u{f6}rk", "q?x=1&y", "double//slash", "amp&<lt>'\""] {
        server.put(&format!("in/{name}"), r#"{"a": 1}"#);
    }
    let loaded = load(&store(&server), COPY, &columns(&["a integer"])).unwrap();
    assert_eq!((loaded.files.len(), loaded.loaded_rows), (2107, 7));
    let pages = server.take_requests().iter().filter(|line| line.contains("list-type=2")).count();
    assert_eq!(pages, 3);
}
