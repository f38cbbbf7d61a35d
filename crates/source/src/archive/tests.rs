//! Archives that other programs write, damaged ones, and hostile ones.

use std::collections::BTreeMap;
use std::io::{Cursor, Seek, Write};

use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{below, hidden, split};
use crate::{Content, Listing, Object, SourceError, Sources};

/// Content of each member, by name.
type Members = BTreeMap<String, Vec<u8>>;

const STORED: CompressionMethod = CompressionMethod::STORE;
const DEFLATED: CompressionMethod = CompressionMethod::DEFLATE;

fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method)
}

fn write_all<W: Write + Seek>(writer: &mut ZipWriter<W>, name: &str, text: &str, large: bool) {
    let method = if text.len() > 40 { DEFLATED } else { STORED };
    writer.start_file(name, options(method).large_file(large)).expect("a member");
    writer.write_all(text.as_bytes()).expect("content");
}

const TEXTS: [(&str, &str); 3] = [
    ("a.json", "{\"a\":1}\n"),
    ("log/b.json", "{\"b\":2}\n{\"b\":2}\n{\"b\":2}\n{\"b\":2}\n{\"b\":2}\n{\"b\":2}\n"),
    ("log/c.json", ""),
];

/// An archive with a stored, a deflated and an empty member.
fn small() -> Vec<u8> {
    archive(&TEXTS)
}

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        write_all(&mut writer, name, text, false);
    }
    writer.finish().expect("an archive").into_inner()
}

/// A folder with an archive.
struct Place {
    _folder: tempfile::TempDir,
    path: String,
}

impl Place {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().canonicalize().expect("a path").join("x.zip");
        let place = Self { path: path.to_str().expect("UTF-8").to_owned(), _folder: folder };
        place.write(bytes);
        place
    }

    fn write(&self, bytes: &[u8]) {
        std::fs::write(&self.path, bytes).expect("a file");
    }

    fn list(&self) -> Result<Listing, SourceError> {
        Sources::default().list(&self.path)
    }

    /// Lists the archive and reads all members.
    fn read(&self) -> Result<(Members, Listing), SourceError> {
        let listing = self.list()?;
        let mut members = Members::new();
        for object in &listing.objects {
            let name = split(&object.key).expect("the key of a member").1;
            members.insert(name.to_owned(), content(object)?);
        }
        Ok((members, listing))
    }

    fn error(&self) -> String {
        let error = self.read().map(|(members, _)| members).expect_err("an error");
        assert!(matches!(error, SourceError::Archive { .. }), "{error}");
        assert!(error.to_string().contains(&self.path) && !error.hint().is_empty(), "{error}");
        error.to_string().replace(&self.path, "x.zip")
    }
}

fn content(object: &Object) -> Result<Vec<u8>, SourceError> {
    let mut content = Content::open(object)?;
    assert!(content.is_compressed());
    let (mut bytes, mut buffer) = (Vec::new(), [0; 7]);
    loop {
        match content.read(&mut buffer)? {
            0 => break,
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
    let consumed = content.consumed();
    assert_eq!(consumed, object.size);
    let fingerprint = content.fingerprint()?;
    assert_eq!(fingerprint, object.fingerprint()?);
    Ok(bytes)
}

fn expected(members: &[(&str, &str)]) -> Members {
    let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
    members.iter().map(pair).collect()
}

#[test]
fn keys_of_members_are_split_at_the_archive() {
    for (key, expected) in [
        ("/d/x.zip!/a/b.json", Some(("/d/x.zip", "a/b.json"))),
        ("s3://b/X.ZIP!/a", Some(("s3://b/X.ZIP", "a"))),
        ("/d/x.zip!", Some(("/d/x.zip", ""))),
        ("/d/x.zip!/a.zip!/b", Some(("/d/x.zip", "a.zip!/b"))),
        ("/d/x.zip!//etc/passwd", Some(("/d/x.zip", "/etc/passwd"))),
        ("/d/a!/x.zip!/b", Some(("/d/a!/x.zip", "b"))),
        ("/d/x.zip", None),
        ("/d/x.zip!a", None),
        ("/d/x.gz!/a", None),
        ("!/a", None),
    ] {
        assert_eq!(split(key), expected, "{key}");
    }
}

#[test]
fn names_are_hidden_as_in_a_folder() {
    for (name, end) in [
        ("__MACOSX/._a.json", Some(8)),
        ("log/.git/a.json", Some(8)),
        ("../../etc/passwd", Some(2)),
        ("./a.json", None),
        ("/etc/passwd", None),
        ("a/b_c/d.json", None),
    ] {
        assert_eq!(hidden(name), end, "{name}");
    }
    assert_eq!(below("log/a.json", "log"), Some("a.json"));
    assert_eq!(below("log.json", "log"), None);
}

#[test]
fn members_have_the_content_and_fingerprint_of_a_file() {
    let place = Place::new(&small());
    let (members, listing) = place.read().expect("readable");
    assert_eq!(members, expected(&TEXTS));
    assert_eq!(listing.root, format!("{}!", place.path));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), TEXTS[1].1).expect("a file");
    let file = Sources::default().find(file.path().to_str().expect("UTF-8")).expect("an object");
    let member = listing.objects[1].fingerprint().expect("readable");
    assert_eq!(member, file.fingerprint().expect("readable"));
    // From a position on, as a trace reads it.
    let mut content = Content::open_at(&listing.objects[1], 8).expect("readable");
    let mut rest = [0; 8];
    assert_eq!(content.read(&mut rest).expect("readable"), 8);
    assert_eq!(&rest, b"{\"b\":2}\n");
}

#[test]
fn archives_of_other_writers_are_read() {
    // Sizes and CRC after the data, as a program writes that cannot seek.
    let mut stream = ZipWriter::new_stream(Vec::new());
    for (name, text) in TEXTS {
        let method = if text.len() > 40 { DEFLATED } else { STORED };
        stream.start_file(name, options(method)).expect("a member");
        stream.write_all(text.as_bytes()).expect("content");
    }
    let stream = stream.finish().expect("an archive").into_inner();
    assert_eq!(Place::new(&stream).read().expect("readable").0, expected(&TEXTS));

    // Sizes of 64 bits, a comment, folders, and bytes after the end.
    let mut large = ZipWriter::new(Cursor::new(Vec::new()));
    large.add_directory("log/", options(STORED)).expect("a folder");
    for (name, text) in TEXTS {
        write_all(&mut large, name, text, true);
    }
    large.set_comment("PK\x05\x06 is a comment").expect("a comment");
    let mut large = large.finish().expect("an archive").into_inner();
    assert_eq!(Place::new(&large).read().expect("readable").0, expected(&TEXTS));
    large.extend_from_slice(&[0; 100]);
    assert_eq!(Place::new(&large).read().expect("readable").0, expected(&TEXTS));
}

#[test]
fn a_directory_of_many_blocks_is_read() {
    let names: Vec<String> = (0..12_000).map(|number| format!("{number:0>200}.json")).collect();
    let members: Vec<_> = names.iter().map(|name| (name.as_str(), "{}")).collect();
    let place = Place::new(&archive(&members));
    let listing = place.list().expect("readable");
    assert_eq!(listing.objects.len(), names.len());
    for object in [&listing.objects[0], &listing.objects[7000], &listing.objects[11_999]] {
        assert_eq!(content(object).expect("readable"), b"{}");
    }
}

#[test]
fn members_are_skipped_as_files_are() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let long = "{}".repeat(30);
    for name in ["__MACOSX/._a.json", "__MACOSX/b.json", "a.json", "b/_c.json", "../e.json", "./f"]
    {
        write_all(&mut writer, name, &long, false);
    }
    writer.add_symlink("link.json", "a.json", options(STORED)).expect("a link");
    let place = Place::new(&writer.finish().expect("an archive").into_inner());
    let (members, listing) = place.read().expect("readable");
    assert_eq!(members.keys().collect::<Vec<_>>(), ["./f", "a.json"]);
    let ignored = ["..", "__MACOSX", "b/_c.json", "link.json (a symbolic link)"];
    let ignored = ignored.map(|name| format!("{}!/{name}", place.path));
    assert_eq!(listing.ignored, ignored);
    let find = |name: &str| Sources::default().find(&format!("{}!/{name}", place.path));
    assert!(find("a.json").is_ok());
    for name in ["link.json", "none.json", "", "../x.zip", "../../../../../../../etc/passwd"] {
        assert!(matches!(find(name), Err(SourceError::Missing { .. })), "{name}");
    }
}

#[test]
fn names_that_are_not_utf8_are_read_as_cp437() {
    let mut bytes = archive(&[("Stra?e.json", "{}"), ("Größe.json", "{}")]);
    replace(&mut bytes, b"Stra?e", b"Stra\xe1e");
    let (members, _) = Place::new(&bytes).read().expect("readable");
    assert_eq!(members.keys().collect::<Vec<_>>(), ["Größe.json", "Straße.json"]);
}

/// Replaces every occurrence.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    for at in 0..=bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..][..new.len()].copy_from_slice(new);
        }
    }
}

/// Offset of the directory entry with this number.
fn entry(bytes: &[u8], number: usize) -> usize {
    let entries = bytes.windows(4).enumerate().filter(|(_, part)| *part == b"PK\x01\x02");
    entries.map(|(at, _)| at).nth(number).expect("an entry")
}

/// Overwrites bytes of the directory entry with this number.
fn patched(number: usize, at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = small();
    let start = entry(&bytes, number) + at;
    bytes[start..][..new.len()].copy_from_slice(new);
    bytes
}

#[test]
fn damage_names_the_member() {
    let mut data = small();
    replace(&mut data, b"{\"a\":1}", b"{\"a\":2}");
    let mut twice = small();
    replace(&mut twice, b"log/c.json", b"log/b.json");
    let mut local = small();
    local[30] = b'b';
    for (bytes, message) in [
        (data, "`x.zip!/a.json`: its CRC-32 is "),
        (patched(1, 16, &[1, 2, 3, 4]), "`x.zip!/log/b.json`: its CRC-32 is "),
        (patched(1, 24, &[47]), "`x.zip!/log/b.json`: it is longer than the 47 bytes listed"),
        (patched(1, 24, &[49]), "`x.zip!/log/b.json`: it ends after 48 of 49 bytes"),
        (patched(0, 24, &[9]), "`x.zip!/a.json`: its two sizes differ"),
        (patched(1, 20, &[3]), "`x.zip!/log/b.json`: its data is damaged"),
        (patched(0, 8, &[1]), "`x.zip!/a.json`: it is encrypted"),
        (patched(1, 10, &[9]), "`x.zip!/log/b.json`: its compression method 8 (Deflate"),
        (patched(2, 42, &[0]), "overlaps the next one"),
        (patched(0, 20, &[200]), "`x.zip`: its member `a.json` overlaps the next one"),
        (twice, "`x.zip`: two of its members have the same name"),
        (local, "`x.zip!/a.json`: its local header has another name: `b.json`"),
    ] {
        let error = Place::new(&bytes).error();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn a_directory_that_is_not_complete_is_damage() {
    let bytes = small();
    let end = bytes.len() - 22;
    let mut fewer = bytes.clone();
    (fewer[end + 8], fewer[end + 10]) = (2, 2);
    let prefixed = [b"#!/bin/sh\n", &bytes[..]].concat();
    for (bytes, message) in [
        (fewer, "another number of members than its end record"),
        (bytes[..end].to_vec(), "it is not a zip archive, or truncated"),
        (bytes[..60].to_vec(), "it is not a zip archive, or truncated"),
        (b"{\"a\":1}".to_vec(), "it is not a zip archive, or truncated"),
        (prefixed, "it is damaged"),
    ] {
        let error = Place::new(&bytes).error();
        assert!(error.contains(message), "{message}: {error}");
    }
    // Like an empty file of another name, an empty one has no records.
    assert_eq!(Place::new(b"").list().expect("readable").objects[0].size, 0);
}

#[test]
fn a_bomb_is_refused_before_it_is_read() {
    let zeros = "0".repeat(70 << 20);
    let place = Place::new(&archive(&[("bomb.json", &zeros)]));
    let error = place.error();
    assert!(
        error.contains("`x.zip!/bomb.json`: it expands from ")
            && error.contains(" to 73400320 bytes"),
        "{error}"
    );
    // The same size is accepted if it does not compress well.
    let mut noise = 1_u32;
    let digits = (0..zeros.len() / 20).flat_map(|_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let digit = char::from(b'0' + noise.to_be_bytes()[0] % 10);
        std::iter::repeat_n(digit, 20)
    });
    let digits: String = digits.collect();
    let listing = Place::new(&archive(&[("large.json", &digits)]));
    assert_eq!(listing.list().expect("readable").bytes(), digits.len() as u64);
}

#[test]
fn too_many_members_are_refused() {
    let mut bytes = Vec::new();
    let count: u32 = 500_001;
    for number in 0..count {
        let mut header = [0; 46];
        header[..4].copy_from_slice(b"PK\x01\x02");
        header[28] = 8;
        bytes.extend_from_slice(&header);
        write!(bytes, "{number:08}").expect("a name");
    }
    let size = u32::try_from(bytes.len()).expect("a small archive").to_le_bytes();
    let (many, size64) = (u64::from(count).to_le_bytes(), bytes.len().to_le_bytes());
    let locator = bytes.len().to_le_bytes();
    bytes.extend_from_slice(b"PK\x06\x06");
    bytes.extend_from_slice(&44_u64.to_le_bytes());
    bytes.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([many, many, size64, [0; 8]].concat());
    bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    bytes.extend_from_slice(&locator);
    bytes.extend_from_slice(&[1, 0, 0, 0]);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff");
    bytes.extend_from_slice(&size);
    bytes.extend_from_slice(&[0; 6]);
    let error = Place::new(&bytes).error();
    assert!(error.contains("it has 500001 members, more than 500000"), "{error}");
}

#[test]
fn a_member_of_a_changed_archive_is_unstable() {
    let place = Place::new(&small());
    let listing = place.list().expect("readable");
    let strict = Sources::default();
    for (bytes, find) in [
        (archive(&[("a.json", "{\"c\":1}\n"), ("log/b.json", TEXTS[1].1)]), true),
        (small()[..50].to_vec(), false),
        (b"{}".to_vec(), false),
    ] {
        place.write(&bytes);
        for object in &listing.objects {
            let error = content(object).expect_err("another version");
            assert!(error.is_unstable(), "{}: {error}", object.key);
        }
        assert_eq!(strict.refreshed(&listing.objects[0]).is_ok(), find);
    }
    // The directory of a listed version is not read from another one.
    place.write(&small());
    let archive = strict.find_stored(&place.path).expect("an object");
    place.write(&self::archive(&[("other.json", "{\"other\":1}")]));
    let error = super::Directory::read(&archive).expect_err("another version");
    assert!(error.is_unstable(), "{error}");
    let archives = vec![archive];
    let listing = Listing { root: "/".into(), objects: archives, ..Listing::default() };
    let listing = strict.with_members(listing, "").expect("read again");
    assert!(listing.objects[0].key.ends_with("x.zip!/other.json"), "{listing:?}");
}

/// Reads a damaged archive: it must fail, or have the same members and content. Members that are
/// skipped are reported, except empty ones: one whose name ends with `/` is a folder.
fn assert_not_silent(bytes: &[u8], what: &str) {
    let place = Place::new(bytes);
    let Ok((members, listing)) = place.read() else { return };
    if members != expected(&TEXTS) {
        let whole = expected(&TEXTS);
        let is_missing =
            |(name, text): (&String, &Vec<u8>)| !text.is_empty() && !members.contains_key(name);
        let is_reported = !listing.ignored.is_empty() || !whole.iter().any(is_missing);
        assert!(is_reported, "{what}: {members:?}");
        let kept = members.iter().all(|(name, text)| whole.get(name) == Some(text));
        assert!(kept, "{what}: {members:?}");
    }
}

#[test]
fn a_flipped_bit_or_a_truncation_is_never_silent() {
    let whole = small();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            assert_not_silent(&bytes, &format!("bit {bit} of byte {at}"));
        }
        if at > 0 {
            assert!(Place::new(&whole[..at]).read().is_err(), "{at} bytes");
        }
    }
}

proptest! {
    #[test]
    fn damage_is_never_silent(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = small();
        for (index, byte) in &changes {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
        assert_not_silent(&bytes, &format!("{changes:?}"));
    }
}
