//! Formats that files have by mistake, recognized by their first bytes: an archive, a download that
//! failed, a text in another encoding. They only name the mistake in a message.

/// Bytes that are examined.
const EXAMINED: usize = 4 << 10;
/// Fewest columns of a CSV header. A line of prose rarely has as many commas without a space.
const COLUMNS: usize = 3;

/// First bytes of formats that have a magic number.
const MAGIC: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF-", "a PDF document"),
    (b"version https://git-lfs.", "a Git LFS pointer, not the file itself"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"{\0", "UTF-16 text"),
    (b"\0{", "UTF-16 text"),
    (b"[\0", "UTF-16 text"),
    (b"\0[", "UTF-16 text"),
];

/// First characters of markup, in lower case.
const MARKUP: &[(&[u8], &str)] = &[
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"<error", "an XML document"),
];

/// Returns the format of content that begins with `start`, if it is a usual mistake.
pub fn recognized(start: &[u8]) -> Option<&'static str> {
    let start = &start[..start.len().min(EXAMINED)];
    let magic = MAGIC.iter().find(|(magic, _)| start.starts_with(magic));
    let text = start.trim_ascii_start();
    let is_markup =
        |mark: &[u8]| text.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark));
    let known = magic.or_else(|| MARKUP.iter().find(|(mark, _)| is_markup(mark)));
    known.map(|(_, what)| *what).or_else(|| is_csv(text).then_some("a CSV file"))
}

/// Returns true if the first line is a header: names between commas, semicolons or tabs.
fn is_csv(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let is_name = |name: &[u8]| {
        let name = name.strip_prefix(b"\"").unwrap_or(name);
        let name = name.strip_suffix(b"\"").unwrap_or(name);
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    b",;\t".iter().any(|separator| {
        let names = || line.split(|byte| byte == separator);
        names().count() >= COLUMNS && names().all(is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::recognized;

    #[test]
    fn usual_mistakes_are_recognized() {
        let utf16: Vec<u8> = "{\"ts\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], &str); 12] = [
            (b"PK\x03\x04\x14\0", "a zip archive"),
            (b"%PDF-1.7\n", "a PDF document"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:4d",
                "a Git LFS pointer, not the file itself",
            ),
            (b"\n <!DOCTYPE html>\n<html>", "an HTML page"),
            (b"<HTML lang=en>", "an HTML page"),
            (b"<?xml version=\"1.0\"?><Error>", "an XML document"),
            (b"artist,auth,firstName,gender\r\nBand,Logged In,Ada,F\r\n", "a CSV file"),
            (b"\xef\xbb\xbf\"artist\";\"auth\";\"ts\"\n", "a CSV file"),
            (b"song_id\ttitle\tduration", "a CSV file"),
            (&utf16, "UTF-16 text"),
            (b"\xfe\xff\0{\0\"", "UTF-16 text"),
            (b"\x1f\x8b\x08", "gzip data"),
        ];
        for (start, what) in cases {
            assert_eq!(recognized(start), Some(what), "{}", String::from_utf8_lossy(start));
        }
        for start in [&b""[..], b"{\"ts\":1}", b"cat log_data/2018/11/*, one, two", b"a,b", b"< 1"]
        {
            assert_eq!(recognized(start), None, "{}", String::from_utf8_lossy(start));
        }
    }
}
