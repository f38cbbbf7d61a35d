//! The messages of the protocol, as far as simple queries need them: what a server says, cut from its bytes, and what is said to it.
//!
//! Written here and not taken from a driver, since drivers ask for types in catalogs that Redshift lacks, and their simple queries leave the types of
//! columns out.

use std::io::{self, Read};

/// A message longer than this is none: a row holds 64 MB at most.
const LONGEST: usize = 256 << 20;

/// What the server says.
#[derive(Debug)]
pub(super) enum Message {
    /// How to prove who one is: a number, and what comes with it.
    Authentication(u32, Vec<u8>),
    /// How a running statement is stopped.
    Key([u8; 8]),
    /// The columns of an answer.
    Columns(Vec<Column>),
    /// One row.
    Row(Row),
    /// A statement is done; its tag.
    Complete(String),
    /// The next statement may come.
    Ready,
    /// It failed.
    Failed(Said),
    /// A remark.
    Notice(Said),
    /// It wants rows, or gives them, as nobody asked it to.
    Copying,
    /// Nothing that matters.
    Other,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    /// The type's number in the catalog.
    pub oid: u32,
    /// What the type's parameters are, −1 for none.
    pub modifier: i32,
}

/// A row's values as text.
#[derive(Debug)]
pub(super) struct Row {
    bytes: Vec<u8>,
    values: Vec<Option<(usize, usize)>>,
}

impl Row {
    /// The values in order.
    pub(super) fn values(&self) -> impl Iterator<Item = Option<&[u8]>> {
        self.values.iter().map(|place| place.and_then(|(start, end)| self.bytes.get(start..end)))
    }
}

/// What a server says in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub code: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// The character of the statement that it is about, from 1.
    pub position: Option<usize>,
}

/// Reads one message.
pub(super) fn read(input: &mut impl Read) -> io::Result<Message> {
    let mut head = [0; 5];
    input.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let length = length.checked_sub(4).filter(|length| *length <= LONGEST).ok_or_else(senseless)?;
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    understand(head[0], body).ok_or_else(senseless)
}

fn senseless() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what came is no message of this protocol")
}

fn understand(tag: u8, body: Vec<u8>) -> Option<Message> {
    let mut parts = Parts(&body);
    Some(match tag {
        b'R' => Message::Authentication(parts.u32()?, parts.0.to_vec()),
        b'K' => Message::Key(body.get(..8)?.try_into().ok()?),
        b'T' => Message::Columns(columns(&mut parts)?),
        b'D' => row(body)?,
        b'C' => Message::Complete(parts.text()?),
        b'Z' => Message::Ready,
        b'E' => Message::Failed(said(&mut parts)),
        b'N' => Message::Notice(said(&mut parts)),
        b'G' | b'H' | b'W' => Message::Copying,
        _ => Message::Other,
    })
}

/// Bytes that are taken from the front.
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

    /// Text up to a zero; a server that says another encoding than it was asked for loses no more than that text.
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

fn said(parts: &mut Parts<'_>) -> Said {
    let mut said = Said::default();
    while let Some((kind, rest)) = parts.0.split_first() {
        parts.0 = rest;
        let Some(text) = parts.text() else { break };
        match kind {
            b'C' => said.code = text,
            b'M' => said.message = text,
            b'D' => said.detail = Some(text),
            b'H' => said.hint = Some(text),
            b'P' => said.position = text.parse().ok(),
            _ => {}
        }
    }
    said
}

/// The first thing that is said: who, to which database. Redshift ends sessions that begin with settings which it does not know, so there is no other.
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

/// Stops what runs in the session with this key.
pub(super) fn cancel(key: [u8; 8]) -> Vec<u8> {
    framed(None, &[80_877_102_u32.to_be_bytes().as_slice(), &key].concat())
}

/// A password, or its digest.
pub(super) fn password(text: &str) -> Vec<u8> {
    framed(Some(b'p'), &[text.as_bytes(), b"\0"].concat())
}

/// One statement.
pub(super) fn query(statement: &str) -> Vec<u8> {
    framed(Some(b'Q'), &[statement.as_bytes(), b"\0"].concat())
}

/// The session ends.
pub(super) fn end() -> Vec<u8> {
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
    fn rows_are_cut_by_their_lengths_and_never_beyond_the_message() {
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
    fn what_a_server_says_is_taken_apart() {
        let message =
            framed(Some(b'E'), b"SERROR\0CXX000\0M1023\0DSerializable isolation violation\0P7\0\0");
        let Message::Failed(said) = read(&mut message.as_slice()).unwrap() else { panic!("words") };
        assert_eq!((said.code.as_str(), said.message.as_str()), ("XX000", "1023"));
        assert_eq!(
            (said.detail.as_deref(), said.position),
            (Some("Serializable isolation violation"), Some(7))
        );
    }
}
