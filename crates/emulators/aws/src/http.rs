//! Minimal HTTP/1.1 server: one thread per connection, bodies with a Content-Length.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::{ApiError, ApiResult};

/// Limit of waits in tests, so that a failing test ends.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Request {
    pub method: String,
    /// Path and query, not decoded.
    pub path: String,
    /// Headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    status: u16,
    content_type: &'static str,
    body: String,
    /// Further header lines, each with its line end.
    headers: String,
}

impl Response {
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self { status, content_type: "text/plain", body: body.into(), headers: String::new() }
    }

    /// Refusal of an unsigned request for a bucket, which names the region nevertheless.
    pub(crate) fn bucket(region: &str) -> Self {
        let headers = format!("x-amz-bucket-region: {region}\r\n");
        Self { headers, ..Self::text(403, "") }
    }

    /// Formats a result in the protocol of the service.
    pub(crate) fn of(service: &str, result: ApiResult) -> Self {
        let is_json = ["redshift-serverless", "secretsmanager"].contains(&service);
        let content_type = if is_json { "application/x-amz-json-1.1" } else { "text/xml" };
        let ApiError { status, code, message } = match result {
            Ok(body) => return Self { status: 200, content_type, body, headers: String::new() },
            Err(error) => error,
        };
        let body = match service {
            _ if is_json => serde_json::json!({ "__type": code, "message": message }).to_string(),
            "ec2" => {
                let error = crate::xml::tag("Code", &code) + &crate::xml::tag("Message", &message);
                format!(
                    "<?xml version=\"1.0\"?><Response><Errors><Error>{error}</Error></Errors><RequestID>r</RequestID></Response>"
                )
            }
            _ => {
                let error = crate::xml::tag("Code", &code) + &crate::xml::tag("Message", &message);
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>r</RequestId></ErrorResponse>"
                )
            }
        };
        Self { status, content_type, body, headers: String::new() }
    }
}

/// Number of open connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Mutex<usize>,
    closed: Condvar,
}

impl Connections {
    /// Blocks until no connection to the server at `address` is open; panics after [`PATIENCE`].
    pub(crate) fn wait_until_closed(&self, address: &str) {
        // A response to a new connection proves that all earlier ones were accepted and counted.
        let mut probe = TcpStream::connect(address).expect("a connection");
        probe.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("a connection");
        probe.read_exact(&mut [0]).expect("a response");
        drop(probe);
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.closed.wait_timeout_while(open, PATIENCE, |open| *open > 0);
        let (open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(*open == 0, "{} connections are still open", *open);
    }
}

/// Connection that is counted while it is open.
struct Counted(Arc<Connections>);

impl Counted {
    fn new(connections: &Arc<Connections>) -> Self {
        *connections.open.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(connections))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.closed.notify_all();
    }
}

/// Starts a server on a free port of the loopback interface, and returns its address.
pub(crate) fn listen(
    connections: &Arc<Connections>,
    respond: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let (respond, connections) = (Arc::new(respond), Arc::clone(connections));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (respond, counted) = (Arc::clone(&respond), Counted::new(&connections));
            // A client that disconnects ends only its thread.
            std::thread::spawn(move || {
                let _counted = counted;
                serve(stream, respond.as_ref())
            });
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream, respond: &(dyn Fn(&Request) -> Response + Sync)) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    while let Some(request) = read(&mut reader) {
        let Response { status, content_type, body, headers } = respond(&request);
        let format = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let date = OffsetDateTime::now_utc().format(format).ok()?;
        let head = format!(
            "HTTP/1.1 {status} -\r\nDate: {date}\r\nContent-Type: {content_type}\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).ok()?;
    }
    Some(())
}

/// Reads a request. Returns `None` at the end of the connection, or if it is malformed.
fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut parts = line.split_whitespace().map(str::to_owned);
    let (method, path) = (parts.next()?, parts.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body: String::from_utf8(body).ok()? })
}
