//! Tests of the server with an independent client, `object_store`: signatures, PUT, multipart
//! uploads, listings, deletions.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::Ordering;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
};
use s3_emulator::{BUCKET, Fault, KEY, SECRET, Server, TRICKLE, Transfers};

fn store(server: &Server, bucket: &str, key: &str, secret: &str) -> AmazonS3 {
    builder(server, bucket, key, secret).build().expect("a store")
}

fn builder(server: &Server, bucket: &str, key: &str, secret: &str) -> AmazonS3Builder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    let builder = AmazonS3Builder::new().with_endpoint(server.endpoint()).with_allow_http(true);
    let builder = builder.with_conditional_put(S3ConditionalPut::ETagMatch).with_retry(retry);
    let builder = builder.with_access_key_id(key).with_secret_access_key(secret);
    builder.with_bucket_name(bucket).with_region("eu-west-1")
}

/// Runs client code on a new runtime.
fn client<T>(code: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a thread").block_on(code)
}

fn put_if_absent() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..PutOptions::default() }
}

#[test]
fn objects_exist_from_put_to_delete() {
    let server = Server::start();
    let store = store(&server, BUCKET, KEY, SECRET);
    client(async {
        for key in ["a/1", "a/2", "b"] {
            store.put(&Path::from(key), PutPayload::from(key.to_owned())).await.unwrap();
        }
        assert_eq!(server.get("a/2").unwrap(), "a/2");
        assert_eq!(store.head(&Path::from("b")).await.unwrap().size, 1);
        assert_eq!(store.get_range(&Path::from("a/1"), 1..3).await.unwrap(), "/1");
        let listed = store.list_with_delimiter(None).await.unwrap();
        assert_eq!((listed.objects.len(), listed.common_prefixes.len()), (1, 1));

        store.delete(&Path::from("a/1")).await.unwrap();
        assert_eq!(server.keys(BUCKET), ["a/2", "b"]);
        let one_by_one = builder(&server, BUCKET, KEY, SECRET)
            .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
        one_by_one.build().unwrap().delete(&Path::from("b")).await.unwrap();
        assert_eq!(server.keys(BUCKET), ["a/2"]);
        let missing = store.head(&Path::from("a/1")).await.unwrap_err();
        assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
        let requested = server.take_requests();
        let puts = requested.iter().filter(|line| line.starts_with("PUT /bucket/")).count();
        assert_eq!(puts, 3, "{requested:#?}");
        for part in ["POST /bucket?delete", "DELETE /bucket/b", "HEAD /bucket/b"] {
            assert!(requested.iter().any(|line| line.starts_with(part)), "{part}: {requested:#?}");
        }
    });
}

#[test]
fn conditional_puts_do_not_overwrite() {
    let server = Server::start();
    let store = store(&server, BUCKET, KEY, SECRET);
    client(async {
        let path = Path::from("once");
        store.put_opts(&path, "first".into(), put_if_absent()).await.unwrap();
        let again = store.put_opts(&path, "second".into(), put_if_absent()).await.unwrap_err();
        assert!(matches!(again, Error::AlreadyExists { .. }), "{again}");
        assert_eq!(server.get("once").unwrap(), "first");
        store.put(&path, "third".into()).await.unwrap();
        assert_eq!(server.get("once").unwrap(), "third");
    });
    let requested = server.take_requests();
    assert!(requested[0].ends_with(" if-none-match: *"), "{requested:#?}");
}

#[test]
fn a_multipart_object_appears_when_it_is_completed() {
    let server = Server::start();
    let store = store(&server, BUCKET, KEY, SECRET);
    client(async {
        let mut upload = store.put_multipart(&Path::from("large")).await.unwrap();
        upload.put_part(vec![1; 5 << 20].into()).await.unwrap();
        upload.put_part(vec![2; 10].into()).await.unwrap();
        assert_eq!((server.get("large"), server.open_uploads()), (None, 1));
        let put = upload.complete().await.unwrap();
        assert!(put.e_tag.unwrap().ends_with("-2\""));
        assert_eq!((server.get("large").unwrap().len(), server.open_uploads()), (5_242_890, 0));

        let mut upload = store.put_multipart(&Path::from("given up")).await.unwrap();
        upload.put_part(vec![1; 10].into()).await.unwrap();
        upload.abort().await.unwrap();
        assert_eq!((server.get("given up"), server.open_uploads()), (None, 0));

        let mut upload = store.put_multipart(&Path::from("crumbs")).await.unwrap();
        for _ in 0..2 {
            upload.put_part(vec![1; 10].into()).await.unwrap();
        }
        let error = upload.complete().await.unwrap_err().to_string();
        assert!(error.contains("EntityTooSmall"), "{error}");
        assert_eq!(server.get("crumbs"), None);
    });
}

#[test]
fn buckets_and_access_keys_are_distinguished() {
    let server = Server::start();
    server.state.add_bucket("other");
    server.state.add_key("ANOTHERKEY", "another secret");
    server.put_in("third", "x", "y");
    client(async {
        let path = Path::from("x");
        let other = store(&server, "other", "ANOTHERKEY", "another secret");
        other.put(&path, "z".into()).await.unwrap();
        assert_eq!(server.get_in("other", "x").unwrap(), "z");
        assert_eq!((server.get_in("third", "x").unwrap(), server.get("x")), ("y".into(), None));
        for (bucket, key, secret, code) in [
            (BUCKET, "ANOTHERKEY", SECRET, "SignatureDoesNotMatch"),
            (BUCKET, "NOTAKEY", SECRET, "InvalidAccessKeyId"),
            ("none", KEY, SECRET, "NoSuchBucket"),
        ] {
            let result = store(&server, bucket, key, secret).put(&path, "z".into()).await;
            let error = format!("{:?}", result.unwrap_err());
            assert!(error.contains(code), "{code}: {error}");
        }
    });
}

#[test]
fn faults_apply_to_writes_and_are_counted() {
    let server = Server::start();
    let store = store(&server, BUCKET, KEY, SECRET);
    client(async {
        let path = Path::from("x");
        server.fail("PUT /bucket/x", Fault::Status(503, "SlowDown"), 1);
        server.fail("PUT /bucket/x", Fault::ResetAfter, 1);
        store.put(&path, "lost".into()).await.unwrap_err();
        assert_eq!((server.get("x"), server.faults_left()), (None, 1));
        store.put(&path, "stored, unconfirmed".into()).await.unwrap_err();
        assert_eq!(server.get("x").unwrap(), "stored, unconfirmed");
        assert_eq!(server.faults_left(), 0);
        server.fail("GET /bucket/x", Fault::TruncateAt(4), 1);
        store.get(&path).await.unwrap().bytes().await.unwrap_err();
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap().len(), 19);
    });
}

#[test]
fn held_requests_have_no_effect_until_they_are_released() {
    let server = Server::start();
    let store = store(&server, BUCKET, KEY, SECRET);
    server.hold("PUT /bucket/x");
    std::thread::scope(|scope| {
        let put = scope.spawn(|| client(store.put(&Path::from("x"), "held".into())));
        server.wait_for_held(1);
        assert_eq!(server.get("x"), None);
        server.release();
        put.join().unwrap().unwrap();
    });
    assert_eq!(server.get("x").unwrap(), "held");
}

#[test]
fn a_held_request_of_a_disconnected_client_has_no_effect() {
    let server = Server::start();
    server.state.is_public.store(true, Ordering::Relaxed);
    server.hold("PUT /bucket/x");
    let mut connection = TcpStream::connect(server.address).unwrap();
    let request = b"PUT /bucket/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nlost";
    connection.write_all(request).unwrap();
    server.wait_for_held(1);
    drop(connection);
    server.wait_until_none_held();
    server.release();
    assert_eq!(server.get("x"), None);
}

#[test]
fn parallel_downloads_wait_for_each_other() {
    const SIZE: u64 = 300_000;
    let server = Server::start();
    server.put("x", vec![7; 300_000]);
    server.require_parallel("x", 2);
    let store = store(&server, BUCKET, KEY, SECRET);
    let get = |range| client(store.get_range(&Path::from("x"), range)).unwrap().len();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| get(0..200_000));
        server.wait_for_transfers("x", |transfers| transfers.bytes == TRICKLE);
        // The second download completes the requirement.
        assert_eq!(get(200_000..SIZE), 100_000);
        assert_eq!(first.join().unwrap(), 200_000);
    });
    let Transfers { active, max_active, bytes } = server.transfers("x");
    assert_eq!((active, max_active, bytes), (0, 2, SIZE));
}
