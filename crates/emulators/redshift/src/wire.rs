//! Messages of the PostgreSQL protocol, version 3: a tag, a length and a body.
//!
//! The proxy reads messages from clients and the backend, forwards them, and creates its own. Its
//! errors and notices have the fields that a server of version 8.0 sends.

use std::io::{self, Read, Write};

/// Protocol message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) tag: u8,
    pub(crate) body: Vec<u8>,
}

/// Limit of a message's length. A statement has at most 16 MB (DG/c_redshift-sql.html).
const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// Reads one message.
pub(crate) fn read(stream: &mut impl Read) -> io::Result<Message> {
    let mut tag = [0];
    stream.read_exact(&mut tag)?;
    Ok(Message { tag: tag[0], body: read_untagged(stream)? })
}

/// Reads the body of a message without a tag: the startup message of a client.
pub(crate) fn read_untagged(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if !(4..MAX_MESSAGE_BYTES).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "invalid message length"));
    }
    let mut body = vec![0; length - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// Writes one message.
pub(crate) fn write(stream: &mut (impl Write + ?Sized), tag: u8, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
    stream.write_all(&[tag])?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(body)
}

/// Builds a body of strings, each terminated by a zero byte.
pub(crate) fn strings(parts: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(part.as_bytes());
        body.push(0);
    }
    body
}

/// Reader of a message body.
pub(crate) struct BodyReader<'a>(pub(crate) &'a [u8]);

impl<'a> BodyReader<'a> {
    /// Reads the next `count` bytes, or all remaining ones if there are fewer.
    pub(crate) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Reads a string up to the next zero byte.
    pub(crate) fn string(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let text = String::from_utf8_lossy(self.bytes(end)).into_owned();
        self.bytes(1);
        text
    }

    /// Reads a 16-bit integer.
    pub(crate) fn short(&mut self) -> u16 {
        self.bytes(2).iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte))
    }

    /// Reads a 32-bit integer.
    pub(crate) fn int(&mut self) -> i32 {
        self.bytes(4).iter().fold(0, |sum, byte| sum << 8 | i32::from(*byte))
    }
}

/// Parses the values of a `DataRow`; `None` is NULL.
pub(crate) fn values(body: &[u8]) -> Vec<Option<&[u8]>> {
    let mut body = BodyReader(body);
    let count = body.short();
    (0..count).map(|_| usize::try_from(body.int()).ok().map(|length| body.bytes(length))).collect()
}

/// Builds the body of a `DataRow`.
pub(crate) fn row(values: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut body = u16::try_from(values.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    for value in values {
        let length = value.as_ref().map_or(-1, |value| i32::try_from(value.len()).unwrap_or(0));
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(value.as_deref().unwrap_or_default());
    }
    body
}

/// Contents of an `ErrorResponse` or `NoticeResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// `ERROR`, `FATAL`, `WARNING`, `INFO`…
    pub severity: String,
    /// SQLSTATE.
    pub code: String,
    /// Primary message.
    pub message: String,
    /// Secondary message with more detail.
    pub detail: Option<String>,
    /// Suggestion on how to fix the problem.
    pub hint: Option<String>,
    /// Position in the statement, in characters counted from 1.
    pub position: Option<String>,
}

impl Report {
    /// Creates an error of a statement.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self {
            severity: "ERROR".to_owned(),
            code: code.to_owned(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// Creates an error that ends the session.
    pub fn fatal(code: &str, message: impl Into<String>) -> Self {
        Self { severity: "FATAL".to_owned(), ..Self::error(code, message) }
    }

    /// Creates a notice.
    pub fn notice(severity: &str, code: &str, message: impl Into<String>) -> Self {
        Self { severity: severity.to_owned(), ..Self::error(code, message) }
    }

    /// Sets the detail.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Sets the hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Parses a message body and drops the fields that version 8.0 does not send.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut report = Self::default();
        let mut body = BodyReader(body);
        while let [field, ..] = *body.bytes(1) {
            if field == 0 {
                break;
            }
            let text = body.string();
            match field {
                b'S' => report.severity = text,
                b'C' => report.code = text,
                b'M' => report.message = text,
                b'D' => report.detail = Some(text),
                b'H' => report.hint = Some(text),
                b'P' => report.position = Some(text),
                _ => {}
            }
        }
        report
    }

    /// Builds the message body.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let optional = [(b'D', &self.detail), (b'H', &self.hint), (b'P', &self.position)];
        let fields = [(b'S', &self.severity), (b'C', &self.code), (b'M', &self.message)];
        let present =
            optional.iter().filter_map(|(tag, text)| text.as_ref().map(|text| (*tag, text)));
        for (tag, text) in fields.into_iter().chain(present) {
            body.push(tag);
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        body
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: {}", self.severity, self.message)?;
        for (name, text) in [("DETAIL", &self.detail), ("HINT", &self.hint)] {
            if let Some(text) = text {
                write!(to, "\n  {name}: {text}")?;
            }
        }
        Ok(())
    }
}
