//! The small servers that hand out credentials: of a virtual machine, of a container, and STS. Each answers what it is told to, and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Part of the first line of a request, and the answer to it.
type Answers = Vec<(&'static str, String)>;

pub(super) struct Metadata {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Metadata {
    pub(super) fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &answers, &log);
            }
        });
        Self { port, asked }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every request so far, head and body.
    pub(super) fn asked(&self) -> String {
        self.asked.lock().expect("a lock").join("\n")
    }
}

fn answer(
    mut stream: TcpStream,
    answers: &Answers,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().unwrap_or(0);
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    log.lock().expect("a lock").push(format!("{head}{}", String::from_utf8_lossy(&body)));
    let first = head.lines().next().unwrap_or_default();
    let found = answers.iter().find(|(part, _)| first.contains(part));
    let (status, body) = found.map_or(("404 Not Found", ""), |(_, body)| ("200 OK", body));
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
