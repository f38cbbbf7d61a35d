//! Emulators of the services that return credentials: instance metadata, container, STS and SSO.
//! Each sends prepared responses and records the requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Part of a request, and the status and body of its response.
type Responses = Vec<(&'static str, &'static str, String)>;

pub(super) struct Metadata {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Metadata {
    /// Starts an emulator that sends these bodies.
    pub(super) fn start(responses: Vec<(&'static str, String)>) -> Self {
        let good = responses.into_iter().map(|(part, body)| (part, "200 OK", body));
        Self::start_with(good.collect())
    }

    /// Starts an emulator that refuses every request.
    pub(super) fn refusing(status: &'static str, body: &str) -> Self {
        Self::start_with(vec![("", status, body.to_owned())])
    }

    fn start_with(responses: Responses) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = respond(stream, &responses, &log);
            }
        });
        Self { port, requests }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns every request so far, head and body.
    pub(super) fn requests(&self) -> String {
        self.requests.lock().expect("a lock").join("\n")
    }
}

fn respond(
    mut stream: TcpStream,
    responses: &Responses,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = format!("{head}{}", String::from_utf8_lossy(&body));
    let found = responses.iter().find(|(part, ..)| request.contains(part));
    let (status, body) = found.map_or(("404 Not Found", ""), |(_, status, body)| (status, body));
    log.lock().expect("a lock").push(request);
    // The lifetime belongs to the token of the instance metadata service.
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}
