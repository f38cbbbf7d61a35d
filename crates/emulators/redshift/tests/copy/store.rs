//! Roles and faults: who may read what, and what a load does when the store does not give it.

use redshift_emulator::copy::s3::{Allowed, Role};
use s3_emulator::{Fault, KEY, SECRET, Server};

use crate::{ROLE, columns, load, store};

const COPY: &str =
    "copy t from 's3://bucket/in/' iam_role 'arn:aws:iam::000000000000:role/reader' json 'auto'";

fn filled() -> Server {
    let server = Server::start();
    server.put("in/a", r#"{"a": 1}"#);
    server.put("in/b", r#"{"a": 2}{"a": 3}"#);
    server
}

#[test]
fn a_role_is_known_or_it_is_not() {
    let server = filled();
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
    let older =
        format!("copy t from 's3://bucket/in/' credentials 'aws_iam_role={ROLE}' json 'auto'");
    assert_eq!(load(&store, &older, &columns).unwrap().loaded_rows, 3);
}

#[test]
fn a_role_reads_what_its_policy_allows() {
    let server = filled();
    server.put(
        "manifest",
        r#"{"entries": [{"url": "s3://bucket/in/a"}, {"url": "s3://bucket/in/gone"}]}"#,
    );
    let columns = columns(&["a integer"]);
    let mut store = store(&server);
    let list = |list| Allowed { prefix: "s3://bucket/in/".to_owned(), list, get: true };
    let manifest = Allowed { list: false, ..Allowed::all("s3://bucket/manifest") };
    let denied = "S3ServiceException:Access Denied,Status 403,Error AccessDenied";

    store.roles[0].allowed = vec![list(true)];
    assert_eq!(load(&store, COPY, &columns).unwrap().loaded_rows, 3);
    let all = COPY.replace("/in/", "/");
    assert_eq!(load(&store, &all, &columns).unwrap_err().message, denied);
    store.roles[0].allowed = vec![Allowed { get: false, ..list(true) }];
    let failure = load(&store, COPY, &columns).unwrap_err();
    assert_eq!(failure.message, denied);
    assert!(!failure.started, "loading had not begun");

    // Whoever may not list is not told that an object is missing.
    let by_manifest = format!("{} manifest", COPY.replace("/in/", "/manifest"));
    store.roles[0].allowed = vec![list(false), manifest.clone()];
    assert_eq!(load(&store, &by_manifest, &columns).unwrap_err().message, denied);
    store.roles[0].allowed = vec![list(true), manifest];
    assert_eq!(load(&store, &by_manifest, &columns).unwrap().loaded_rows, 1);
}

#[test]
fn the_store_has_its_own_word_on_keys_and_buckets() {
    let server = filled();
    let columns = columns(&["a integer"]);
    let store = store(&server);
    for (secret, says) in [("wrong", "SignatureDoesNotMatch"), (SECRET, "")] {
        let by_key = format!(
            "copy t from 's3://bucket/in/' access_key_id '{KEY}' secret_access_key '{secret}' json 'auto'"
        );
        match load(&store, &by_key, &columns) {
            Ok(loaded) => assert!(says.is_empty() && loaded.loaded_rows == 3),
            Err(failure) => {
                assert!(!says.is_empty() && failure.message.contains(says), "{failure}");
            }
        }
    }
    let mut elsewhere = store.clone();
    elsewhere.roles[0].allowed = vec![Allowed::all("s3://none/")];
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
fn a_bucket_elsewhere_needs_its_region() {
    let server = filled();
    let columns = columns(&["a integer"]);
    let store = store(&server);
    "eu-west-1".clone_into(&mut server.state.region.lock().unwrap());
    let failure = load(&store, COPY, &columns).unwrap_err();
    assert!(
        failure.message.contains("must be addressed using the specified endpoint"),
        "{failure}"
    );
    assert!(failure.message.contains("Status 301,Error PermanentRedirect"), "{failure}");
    let there = format!("{COPY} region 'eu-west-1'");
    assert_eq!(load(&store, &there, &columns).unwrap().loaded_rows, 3);
}

#[test]
fn what_passes_is_tried_again_and_every_row_is_loaded_once() {
    let columns = columns(&["a integer"]);
    for fault in [
        Fault::Status(503, "SlowDown"),
        Fault::Status(500, "InternalError"),
        Fault::Reset,
        Fault::TruncateAt(0),
        Fault::TruncateAt(5),
        Fault::WrongLength(9),
    ] {
        let server = filled();
        server.fail("in/b", fault.clone(), 3);
        server.fail("list-type=2", fault.clone(), 2);
        let loaded = load(&store(&server), COPY, &columns);
        let rows = loaded.unwrap_or_else(|failure| panic!("{fault:?}: {failure}")).rows;
        let values: Vec<_> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
        assert_eq!(values, ["1", "2", "3"], "{fault:?}");
        assert_eq!(server.faults_left(), 0, "{fault:?} never happened");
    }
}

#[test]
fn what_does_not_pass_fails_the_load_whole() {
    let columns = columns(&["a integer"]);
    for (fault, says) in [
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
        let server = filled();
        server.fail("in/b", fault.clone(), 50);
        let failure = load(&store(&server), COPY, &columns).unwrap_err();
        assert!(failure.message.contains(says), "{fault:?}: {failure}");
        assert!(!failure.message.contains(SECRET), "{failure}");
        assert_eq!(failure.sqlstate, "XX000");
        assert!(failure.started);
        assert_eq!(failure.files.len(), 1, "the first file was read, and counts for nothing");
        let tries = server.take_requests().iter().filter(|line| line.contains("in/b")).count();
        let lasting = matches!(fault, Fault::Status(403, _) | Fault::Deleted);
        assert_eq!(tries, if lasting { 1 } else { 5 }, "{fault:?}");
    }
}

#[test]
fn keys_of_every_kind_are_listed_page_by_page_and_read() {
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
