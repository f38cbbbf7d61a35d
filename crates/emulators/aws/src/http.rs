//! HTTP/1.1, as little of it as the clients of AWS need: a thread a connection, bodies with a length.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::{Answer, Refusal};

#[derive(Debug)]
pub(crate) struct Request {
    pub method: String,
    /// With its query, as it was sent.
    pub path: String,
    /// Names in lower case.
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
    kind: &'static str,
    body: String,
}

impl Response {
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self { status, kind: "text/plain", body: body.into() }
    }

    /// In the words of the service.
    pub(crate) fn of(service: &str, answer: Answer) -> Self {
        let is_json = ["redshift-serverless", "secretsmanager"].contains(&service);
        let kind = if is_json { "application/x-amz-json-1.1" } else { "text/xml" };
        let Refusal { status, code, message } = match answer {
            Ok(body) => return Self { status: 200, kind, body },
            Err(refusal) => refusal,
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
        Self { status, kind, body }
    }
}

/// Listens on a port of the loopback interface, and says where.
pub(crate) fn listen(
    answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A client that goes away in the middle is no event.
            std::thread::spawn(move || serve(stream, answer.as_ref()));
        }
    });
    Ok(url)
}

fn serve(mut stream: TcpStream, answer: &(dyn Fn(&Request) -> Response + Sync)) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    while let Some(request) = read(&mut reader) {
        let Response { status, kind, body } = answer(&request);
        let form = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let date = OffsetDateTime::now_utc().format(form).ok()?;
        let head = format!(
            "HTTP/1.1 {status} -\r\nDate: {date}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).ok()?;
    }
    Some(())
}

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
