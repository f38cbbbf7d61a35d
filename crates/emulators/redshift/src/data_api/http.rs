//! Minimal HTTP/1.1 server for Data API clients: `Content-Length` bodies and keep-alive.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// HTTP request.
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as in the request line.
    pub(crate) target: String,
    /// Headers in order, with names in lower case and trimmed values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// HTTP response with a JSON body.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Limit of a body. The largest request has 40 statements of 100 KB.
const MAX_BODY_BYTES: usize = 8 << 20;

/// Serves requests until the client closes the connection.
pub(crate) fn serve(stream: TcpStream, handle: impl Fn(&Request) -> Response) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader)? {
        let response = handle(&request);
        let body = response.body.to_string();
        let head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: application/x-amz-json-1.1\r\nx-amzn-RequestId: {}\r\nContent-Length: {}\r\n\r\n",
            response.status,
            if response.status == 200 { "OK" } else { "Error" },
            crate::random::uuid(),
            body.len()
        );
        reader.get_mut().write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some(first) = line(reader)? else { return Ok(None) };
    let mut parts = first.split(' ');
    let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    while let Some(line) = line(reader)?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(malformed)?;
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length =
        request.header("content-length").map_or(Ok(0), str::parse).map_err(|_| malformed())?;
    if length > MAX_BODY_BYTES || request.header("transfer-encoding").is_some() {
        return Err(malformed());
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn line(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    reader.by_ref().take(1 << 16).read_until(b'\n', &mut line)?;
    let text = String::from_utf8_lossy(&line);
    Ok((!line.is_empty()).then(|| text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "malformed HTTP request")
}
