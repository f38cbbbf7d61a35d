//! Temporary files below a prefix in S3: the only part of the program that writes to a bucket.
//!
//! A file is uploaded in parts while it grows, so that it need not fit in memory. It becomes visible
//! when it is finished.

use std::sync::Arc;
use std::time::Duration;

use quick_xml::de::from_reader;
use reqwest::Method;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::client::{Answer, Client, Request, failed};
use super::{AwsError, encoded};
use sparkify_config::{Access, Addressing};

/// Size of a part in bytes; S3 requires at least 5 MiB.
pub(super) const PART: usize = 8 << 20;

/// A bucket and a prefix in it.
#[derive(Debug, Clone)]
pub struct Landing {
    client: Arc<Client>,
    bucket: String,
    /// Without a final `/`; empty for the bucket itself.
    prefix: String,
    endpoint: Option<String>,
    addressing: Addressing,
}

/// Listed key below the prefix.
#[derive(Debug, Clone)]
pub struct Landed {
    /// The whole key.
    pub key: String,
    /// Time of the last write.
    pub written: Option<OffsetDateTime>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    contents: Vec<Content>,
    next_continuation_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    key: String,
    last_modified: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Begun {
    upload_id: String,
}

impl Landing {
    /// Resolves `access` for `location`, which is `s3://bucket/prefix`.
    pub fn new(access: &Access, location: &str) -> Result<Self, AwsError> {
        let place = location.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if bucket.is_empty() || bucket.starts_with('.') || !bucket.bytes().all(fits) {
            return Err(AwsError {
                doing: "write to",
                location: location.into(),
                reason: "it names no bucket".into(),
                hint: "write it as `s3://BUCKET/PREFIX`".into(),
            });
        }
        let client = Client::new(access, "s3")?;
        let access = client.access();
        // Amazon's certificate covers one label before its name.
        let suits = match (&access.endpoint, bucket.contains('.')) {
            (Some(_), _) | (None, true) => Addressing::Path,
            (None, false) => Addressing::Virtual,
        };
        Ok(Self {
            bucket: bucket.into(),
            prefix: prefix.trim_matches('/').into(),
            endpoint: access.endpoint.clone(),
            addressing: access.addressing.unwrap_or(suits),
            client: Arc::new(client),
        })
    }

    /// Returns a folder below this prefix.
    #[must_use]
    pub fn below(&self, folder: &str) -> Self {
        Self { prefix: join(&self.prefix, folder), ..self.clone() }
    }

    /// Returns the `s3://` URL of a file below this prefix.
    pub fn url_of(&self, name: &str) -> String {
        format!("s3://{}/{}", self.bucket, join(&self.prefix, name))
    }

    /// Returns the prefix as an `s3://` URL.
    pub fn location(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    /// Returns the region that requests are signed for.
    pub fn region(&self) -> String {
        self.client.region()
    }

    /// Writes a short file.
    pub fn put(&self, name: &str, content: Vec<u8>) -> Result<(), AwsError> {
        let key = join(&self.prefix, name);
        self.ask(Method::PUT, &key, "", content, "write").map(drop)
    }

    /// Starts a file that grows.
    pub fn begin(&self, name: &str) -> Upload {
        let place = self.clone();
        Upload {
            place,
            key: join(&self.prefix, name),
            id: None,
            etags: Vec::new(),
            held: Vec::new(),
            sent: 0,
        }
    }

    /// Lists all keys below this prefix.
    pub fn list(&self) -> Result<Vec<Landed>, AwsError> {
        let mut landed = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let from = token.map_or(String::new(), |token| {
                format!("continuation-token={}&", encoded(&token, false))
            });
            let folder =
                if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
            let query = format!("?{from}list-type=2&prefix={}", encoded(&folder, false));
            let answer = self.ask(Method::GET, "", &query, Vec::new(), "list")?;
            let page: Page = self.understood(&answer, "list")?;
            landed.extend(page.contents.into_iter().map(|content| Landed {
                written:
                    content.last_modified.and_then(|at| OffsetDateTime::parse(&at, &Rfc3339).ok()),
                key: content.key,
            }));
            token = page.next_continuation_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(landed);
            }
        }
    }

    /// Deletes a key; a key that does not exist is not an error.
    pub fn remove(&self, key: &str) -> Result<(), AwsError> {
        self.ask(Method::DELETE, key, "", Vec::new(), "remove").map(drop)
    }

    /// Deletes all keys below this prefix and returns their number.
    pub fn clear(&self) -> Result<usize, AwsError> {
        let landed = self.list()?;
        landed.iter().try_for_each(|landed| self.remove(&landed.key))?;
        Ok(landed.len())
    }

    fn understood<T: serde::de::DeserializeOwned>(
        &self,
        answer: &Answer,
        doing: &'static str,
    ) -> Result<T, AwsError> {
        from_reader(answer.body.as_slice()).map_err(|_| AwsError {
            doing,
            location: self.location(),
            reason: "the response is not the XML of S3".into(),
            hint: "check that `--endpoint-url` names an S3 server".into(),
        })
    }

    fn url(&self, region: &str, key: &str, query: &str) -> String {
        let server = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None if region.starts_with("cn-") => format!("https://s3.{region}.amazonaws.com.cn"),
            None => format!("https://s3.{region}.amazonaws.com"),
        };
        let base = match (self.addressing, server.split_once("://")) {
            (Addressing::Virtual, Some((scheme, host))) => {
                format!("{scheme}://{}.{host}", self.bucket)
            }
            _ => format!("{server}/{}", self.bucket),
        };
        let slash = if key.is_empty() && self.addressing == Addressing::Path { "" } else { "/" };
        format!("{base}{slash}{}{query}", encoded(key, true))
    }

    fn ask(
        &self,
        method: Method,
        key: &str,
        query: &str,
        body: Vec<u8>,
        doing: &'static str,
    ) -> Result<Answer, AwsError> {
        let location =
            if key.is_empty() { self.location() } else { format!("s3://{}/{key}", self.bucket) };
        let url = |region: &str| self.url(region, key, query);
        let (headers, patience) = (Vec::new(), Duration::ZERO);
        let request =
            Request { method, url: &url, headers, body, patience, doing, location: &location };
        let answer = self.client.send(&request)?;
        if answer.is_good() || (doing == "remove" && answer.status == 404) {
            return Ok(answer);
        }
        Err(refused(&request, &answer))
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") }
}

/// Explains a refusal by its code. The message of the server may quote what was signed.
fn refused(request: &Request<'_>, answer: &Answer) -> AwsError {
    let text = String::from_utf8_lossy(&answer.body);
    let code = text.split("<Code>").nth(1).and_then(|rest| rest.split('<').next());
    let code: String =
        code.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let said = if code.is_empty() { String::new() } else { format!("{code}, ") };
    let action = match request.doing {
        "list" => "s3:ListBucket",
        "remove" => "s3:DeleteObject",
        _ => "s3:PutObject",
    };
    AwsError {
        hint: format!(
            "grant `{action}` on this prefix to these credentials; `[S3] STAGING` or `--staging` sets it"
        ),
        ..failed(request, format!("the store refused ({said}HTTP {})", answer.status))
    }
}

/// Upload in progress. Dropped unfinished, it leaves no file; [`Upload::give_up`] deletes the parts
/// that the server keeps.
#[derive(Debug)]
pub struct Upload {
    place: Landing,
    key: String,
    id: Option<String>,
    etags: Vec<String>,
    held: Vec<u8>,
    sent: u64,
}

impl Upload {
    /// Appends bytes and uploads whole parts.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), AwsError> {
        self.held.extend_from_slice(bytes);
        while self.held.len() >= PART {
            let rest = self.held.split_off(PART);
            let part = std::mem::replace(&mut self.held, rest);
            self.send(part)?;
        }
        Ok(())
    }

    /// Returns the number of appended bytes.
    pub fn size(&self) -> u64 {
        self.sent + self.held.len() as u64
    }

    /// Finishes the file, which makes it visible, and returns its size.
    pub fn finish(mut self) -> Result<u64, AwsError> {
        let size = self.size();
        let last = std::mem::take(&mut self.held);
        if self.id.is_none() {
            self.place.ask(Method::PUT, &self.key, "", last, "write")?;
            return Ok(size);
        }
        if !last.is_empty() {
            self.send(last)?;
        }
        let mut parts = String::from("<CompleteMultipartUpload>");
        for (number, etag) in (1..).zip(&self.etags) {
            let etag = quick_xml::escape::escape(etag.as_str());
            parts =
                format!("{parts}<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        parts.push_str("</CompleteMultipartUpload>");
        let query = format!("?uploadId={}", encoded(self.id.as_deref().unwrap_or_default(), false));
        let answer =
            self.place.ask(Method::POST, &self.key, &query, parts.into_bytes(), "write")?;
        // S3 may send status 200 before the parts are joined, and an error in the body.
        if memchr::memmem::find(&answer.body, b"<Error>").is_some() {
            return Err(AwsError {
                doing: "write",
                location: format!("s3://{}/{}", self.place.bucket, self.key),
                reason: "the store could not join its parts".into(),
                hint: "try again later; nothing of this load was published".into(),
            });
        }
        Ok(size)
    }

    /// Aborts the upload: the server deletes its parts.
    pub fn give_up(self) -> Result<(), AwsError> {
        let Some(id) = &self.id else { return Ok(()) };
        let query = format!("?uploadId={}", encoded(id, false));
        self.place.ask(Method::DELETE, &self.key, &query, Vec::new(), "remove").map(drop)
    }

    fn send(&mut self, part: Vec<u8>) -> Result<(), AwsError> {
        let id = if let Some(id) = &self.id {
            id.clone()
        } else {
            let answer =
                self.place.ask(Method::POST, &self.key, "?uploads=", Vec::new(), "write")?;
            let begun: Begun = self.place.understood(&answer, "write")?;
            self.id = Some(begun.upload_id.clone());
            begun.upload_id
        };
        let size = part.len() as u64;
        let number = self.etags.len() + 1;
        let query = format!("?partNumber={number}&uploadId={}", encoded(&id, false));
        let answer = self.place.ask(Method::PUT, &self.key, &query, part, "write")?;
        let etag = answer.headers.get("etag").and_then(|value| value.to_str().ok());
        self.etags.push(etag.unwrap_or_default().to_owned());
        self.sent += size;
        Ok(())
    }
}
