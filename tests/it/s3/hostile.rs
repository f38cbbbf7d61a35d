//! A server that is damaged or hostile: its listings never end, leave the prefix, or repeat.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{ended, program};
use crate::support::event;
use s3_emulator::Server;

/// The body of a listing for the request with this number.
type Answer = fn(usize) -> String;

/// Starts a server.
fn serve(answer: Answer) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let count = Arc::clone(&count);
            std::thread::spawn(move || respond(&stream, answer, &count));
        }
    });
    (endpoint, requests)
}

/// Reads requests without a body from a connection, and answers them.
fn respond(mut stream: &TcpStream, answer: Answer, count: &AtomicUsize) {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let head = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty());
        if head.count() == 0 {
            return;
        }
        let body = answer(count.fetch_add(1, Ordering::Relaxed));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// A page with these keys and the token of the next one.
fn page(keys: &[String], token: &str) -> String {
    let entry = |key: &String| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>");
    let keys = keys.iter().map(entry).collect::<Vec<_>>().concat();
    format!(
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>{keys}</ListBucketResult>"
    )
}

#[test]
fn a_listing_ends_whatever_the_server_sends() {
    let cases: [(Answer, &str); 6] = [
        (|number| page(&[], ["a", "b"][number % 2]), "repeated a continuation token"),
        (|number| page(&[], &number.to_string()), "sent an endless listing"),
        (|number| page(&["log_data/same.json".into()], &number.to_string()), "repeated a key"),
        (|_| page(&["other/x.json".into()], ""), "sent a key outside of the prefix"),
        (|_| page(&["../x.json".into()], ""), "sent a key outside of the prefix"),
        (|_| "<ListBucketResult><Contents>".into(), "did not send the XML of an S3 listing"),
    ];
    for (answer, says) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (endpoint, requests) = serve(answer);
        let arguments = ["plan", "--no-sign-request", "--log-data", "s3://bucket/log_data"];
        let mut command = program(folder.path(), arguments);
        command.env("AWS_ENDPOINT_URL", &endpoint);
        let words = ended(&mut command).bad(2);
        assert!(words.contains(says), "{words}");
        assert!(words.contains("hint: check that `--endpoint-url` is a server"), "{words}");
        assert!(requests.load(Ordering::Relaxed) < 1100, "{says}");
    }
}

#[test]
fn a_prefix_that_repeats_as_its_own_folder_ends_the_listing() {
    // The first page has few folders, so that the listing is split at them.
    let (endpoint, _) = serve(|number| {
        match number {
        0 => page(&["log_data/a/1.json".into()], "next"),
        _ => "<ListBucketResult><IsTruncated>false</IsTruncated><CommonPrefixes><Prefix>log_data/</Prefix></CommonPrefixes></ListBucketResult>".into(),
    }
    });
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["plan", "--no-sign-request", "--log-data", "s3://bucket/log_data"];
    let mut command = program(folder.path(), arguments);
    let words = ended(command.env("AWS_ENDPOINT_URL", &endpoint)).bad(2);
    assert!(words.contains("sent a key outside of the prefix"), "{words}");
}

#[test]
fn a_server_that_sends_a_few_bytes_at_a_time_counts_as_stalled() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..2000).map(|item| event(1, item, 1000, "Home", "")).collect();
    server.put("data/log_data/e.json", text);
    // Ten bytes each tenth of a second: between two of them no timeout ends.
    server.limit_bandwidth(100);
    let mut command = super::signed(&server, folder.path(), ["etl", "--log-data", super::LOGS]);
    command.env("AWS_MAX_ATTEMPTS", "2").env("SPARKIFY_READ_TIMEOUT", "0.5");
    let words = ended(&mut command).bad(2);
    assert!(words.contains("` sent only "), "{words}");
    assert!(words.contains(" bytes in 0.5 s; tried 2 times"), "{words}");
}
