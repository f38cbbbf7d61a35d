//! Messages of the PostgreSQL protocol for simple queries: decoder for the server's messages,
//! encoder for the client's.
//!
//! Drivers do not fit: they look up types in catalogs that Redshift lacks, and their simple queries
//! do not return column types.

use std::io::{self, Read};

/// Maximum length of a message; a longer one is treated as invalid. A row holds at most 64 MB.
const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// Message from the server.
#[derive(Debug)]
pub(super) enum Message {
    /// Authentication request: method, and data such as the salt.
    Authentication(u32, Vec<u8>),
    /// Process ID and secret key, which a cancel request repeats.
    Key([u8; 8]),
    /// Columns of a result.
    Columns(Vec<Column>),
    /// Row of a result.
    Row(Row),
    /// End of a statement, with its command tag such as `INSERT 0 5`.
    Complete(String),
    /// The server is ready for the next statement.
    Ready,
    /// Error.
    Failed(ServerError),
    /// Notice or warning.
    Notice(ServerError),
    /// Start of a client-side COPY, which this program never requests.
    Copying,
    /// Any other message, which is ignored.
    Other,
}

/// Column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    /// OID of the type.
    pub oid: u32,
    /// Parameters of the type, −1 for none.
    pub modifier: i32,
}

/// Row of a result, with its values in text format.
#[derive(Debug)]
pub(super) struct Row {
    bytes: Vec<u8>,
    values: Vec<Option<(usize, usize)>>,
}

impl Row {
    /// Returns the values in the order of the columns.
    pub(super) fn values(&self) -> impl Iterator<Item = Option<&[u8]>> {
        self.values.iter().map(|place| place.and_then(|(start, end)| self.bytes.get(start..end)))
    }
}

/// Error or notice of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServerError {
    pub code: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// Position in the statement in characters, from 1.
    pub position: Option<usize>,
}

/// Reads one message.
pub(super) fn read(input: &mut impl Read) -> io::Result<Message> {
    let mut head = [0; 5];
    input.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let length = length
        .checked_sub(4)
        .filter(|length| *length <= MAX_MESSAGE_BYTES)
        .ok_or_else(invalid_message)?;
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    decode(head[0], body).ok_or_else(invalid_message)
}

fn invalid_message() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "invalid message: the server does not speak the PostgreSQL protocol",
    )
}

fn decode(tag: u8, body: Vec<u8>) -> Option<Message> {
    let mut parts = Parts(&body);
    Some(match tag {
        b'R' => Message::Authentication(parts.u32()?, parts.0.to_vec()),
        b'K' => Message::Key(body.get(..8)?.try_into().ok()?),
        b'T' => Message::Columns(columns(&mut parts)?),
        b'D' => row(body)?,
        b'C' => Message::Complete(parts.text()?),
        b'Z' => Message::Ready,
        b'E' => Message::Failed(server_error(&mut parts)),
        b'N' => Message::Notice(server_error(&mut parts)),
        b'G' | b'H' | b'W' => Message::Copying,
        _ => Message::Other,
    })
}

/// Cursor over the bytes of a message.
struct Parts<'a>(&'a [u8]);

impl Parts<'_> {
    fn u16(&mut self) -> Option<u16> {
        let (head, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*head))
    }

    fn u32(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*head))
    }

    /// Reads text up to a zero byte. Invalid UTF-8 is replaced: a server with an unexpected
    /// encoding spoils only this text.
    fn text(&mut self) -> Option<String> {
        let end = memchr::memchr(0, self.0)?;
        let text = String::from_utf8_lossy(self.0.get(..end)?).into_owned();
        self.0 = self.0.get(end + 1..)?;
        Some(text)
    }
}

fn columns(parts: &mut Parts<'_>) -> Option<Vec<Column>> {
    (0..parts.u16()?)
        .map(|_| {
            let name = parts.text()?;
            parts.u32()?;
            parts.u16()?;
            let oid = parts.u32()?;
            parts.u16()?;
            let modifier = parts.u32()?.cast_signed();
            parts.u16()?;
            Some(Column { name, oid, modifier })
        })
        .collect()
}

fn row(body: Vec<u8>) -> Option<Message> {
    let mut parts = Parts(&body);
    let count = parts.u16()?;
    let (mut at, mut values) = (2, Vec::with_capacity(count.into()));
    for _ in 0..count {
        let length = Parts(body.get(at..)?).u32()?;
        at += 4;
        if length == u32::MAX {
            values.push(None);
            continue;
        }
        let end = at.checked_add(length as usize).filter(|end| *end <= body.len())?;
        values.push(Some((at, end)));
        at = end;
    }
    Some(Message::Row(Row { bytes: body, values }))
}

fn server_error(parts: &mut Parts<'_>) -> ServerError {
    let mut error = ServerError::default();
    while let Some((kind, rest)) = parts.0.split_first() {
        parts.0 = rest;
        let Some(text) = parts.text() else { break };
        match kind {
            b'C' => error.code = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            b'P' => error.position = text.parse().ok(),
            _ => {}
        }
    }
    error
}

/// Encodes the startup message. It contains no further settings, because Redshift closes sessions
/// that start with settings it does not know.
pub(super) fn start(user: &str, database: &str, application: &str) -> Vec<u8> {
    let mut body = 0x0003_0000_u32.to_be_bytes().to_vec();
    for (name, value) in [
        ("user", user),
        ("database", database),
        ("client_encoding", "UTF8"),
        ("application_name", application),
    ] {
        body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
    }
    body.push(0);
    framed(None, &body)
}

/// Encodes a request to cancel the statement of the session with this key.
pub(super) fn cancel(key: [u8; 8]) -> Vec<u8> {
    framed(None, &[80_877_102_u32.to_be_bytes().as_slice(), &key].concat())
}

/// Encodes a password or its digest.
pub(super) fn password(text: &str) -> Vec<u8> {
    framed(Some(b'p'), &[text.as_bytes(), b"\0"].concat())
}

/// Encodes the response to a request for a password digest: the digest and the client's nonce.
pub(super) fn digest(digest: &[u8], nonce: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes();
    framed(Some(b'd'), &[&length(digest), digest, &length(nonce), nonce].concat())
}

/// Encodes a simple query.
pub(super) fn query(statement: &str) -> Vec<u8> {
    framed(Some(b'Q'), &[statement.as_bytes(), b"\0"].concat())
}

/// Encodes the end of the session.
pub(super) fn terminate() -> Vec<u8> {
    framed(Some(b'X'), &[])
}

fn framed(tag: Option<u8>, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message: Vec<u8> = tag.into_iter().collect();
    message.extend(length.to_be_bytes());
    message.extend(body);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_values_never_exceed_the_message() {
        let body = b"\0\x03\0\0\0\x02hi\xff\xff\xff\xff\0\0\0\0";
        let message = framed(Some(b'D'), body);
        let Message::Row(row) = read(&mut message.as_slice()).unwrap() else { panic!("a row") };
        let values: Vec<_> = row.values().collect();
        assert_eq!(values, [Some(b"hi".as_slice()), None, Some(b"".as_slice())]);
        for end in 0..body.len() {
            assert!(read(&mut framed(Some(b'D'), &body[..end]).as_slice()).is_err(), "{end}");
        }
        assert!(read(&mut b"D\0\0\0\x03".as_slice()).is_err());
        assert!(read(&mut b"D\xff\xff\xff\xff".as_slice()).is_err());
    }

    #[test]
    fn an_error_is_decoded_into_its_fields() {
        let message =
            framed(Some(b'E'), b"SERROR\0CXX000\0M1023\0DSerializable isolation violation\0P7\0\0");
        let Message::Failed(error) = read(&mut message.as_slice()).unwrap() else {
            panic!("no error")
        };
        assert_eq!((error.code.as_str(), error.message.as_str()), ("XX000", "1023"));
        assert_eq!(
            (error.detail.as_deref(), error.position),
            (Some("Serializable isolation violation"), Some(7))
        );
    }
}
