//! The server as a client meets it that others wrote: `object_store` signs, puts whole and in parts, lists and deletes.

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
};
use s3_emulator::{BUCKET, Fault, KEY, SECRET, Server};

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

/// What a client does, on a runtime of its own.
fn client<T>(doing: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a thread").block_on(doing)
}

fn put_if_absent() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..PutOptions::default() }
}

#[test]
fn what_is_put_is_there_and_deleted_it_is_gone() {
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
        let requested = server.requested();
        let puts = requested.iter().filter(|line| line.starts_with("PUT /bucket/")).count();
        assert_eq!(puts, 3, "{requested:#?}");
        for part in ["POST /bucket?delete", "DELETE /bucket/b", "HEAD /bucket/b"] {
            assert!(requested.iter().any(|line| line.starts_with(part)), "{part}: {requested:#?}");
        }
    });
}

#[test]
fn an_object_is_put_once_only_where_that_is_asked() {
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
    let requested = server.requested();
    assert!(requested[0].ends_with(" if-none-match: *"), "{requested:#?}");
}

#[test]
fn an_object_in_parts_is_there_when_it_is_complete() {
    let server = Server::start();
    let store = store(&server, BUCKET, KEY, SECRET);
    client(async {
        let mut upload = store.put_multipart(&Path::from("large")).await.unwrap();
        upload.put_part(vec![1; 5 << 20].into()).await.unwrap();
        upload.put_part(vec![2; 10].into()).await.unwrap();
        assert_eq!((server.get("large"), server.uploads_open()), (None, 1));
        let put = upload.complete().await.unwrap();
        assert!(put.e_tag.unwrap().ends_with("-2\""));
        assert_eq!((server.get("large").unwrap().len(), server.uploads_open()), (5_242_890, 0));

        let mut upload = store.put_multipart(&Path::from("given up")).await.unwrap();
        upload.put_part(vec![1; 10].into()).await.unwrap();
        upload.abort().await.unwrap();
        assert_eq!((server.get("given up"), server.uploads_open()), (None, 0));

        let mut upload = store.put_multipart(&Path::from("crumbs")).await.unwrap();
        for _ in 0..2 {
            upload.put_part(vec![1; 10].into()).await.unwrap();
        }
        let refused = upload.complete().await.unwrap_err().to_string();
        assert!(refused.contains("EntityTooSmall"), "{refused}");
        assert_eq!(server.get("crumbs"), None);
    });
}

#[test]
fn buckets_and_keys_are_told_apart() {
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
        for (bucket, key, secret, says) in [
            (BUCKET, "ANOTHERKEY", SECRET, "SignatureDoesNotMatch"),
            (BUCKET, "NOTAKEY", SECRET, "InvalidAccessKeyId"),
            ("none", KEY, SECRET, "NoSuchBucket"),
        ] {
            let refused = store(&server, bucket, key, secret).put(&path, "z".into()).await;
            let refused = format!("{:?}", refused.unwrap_err());
            assert!(refused.contains(says), "{says}: {refused}");
        }
    });
}

#[test]
fn faults_meet_writers_too_and_are_counted() {
    let server = Server::start();
    let store = store(&server, BUCKET, KEY, SECRET);
    client(async {
        let path = Path::from("x");
        server.fail("PUT /bucket/x", Fault::Refused(503, "SlowDown"), 1);
        server.fail("PUT /bucket/x", Fault::Unanswered, 1);
        store.put(&path, "lost".into()).await.unwrap_err();
        assert_eq!((server.get("x"), server.faults_left()), (None, 1));
        store.put(&path, "done, but who knows".into()).await.unwrap_err();
        assert_eq!(server.get("x").unwrap(), "done, but who knows");
        assert_eq!(server.faults_left(), 0);
        server.fail("GET /bucket/x", Fault::CutAt(4), 1);
        store.get(&path).await.unwrap().bytes().await.unwrap_err();
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap().len(), 19);
    });
}
