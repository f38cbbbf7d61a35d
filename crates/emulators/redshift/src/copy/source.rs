//! Which objects a COPY reads: every key that begins with the prefix, or what a manifest lists; and what they hold once they are unpacked.
//!
//! DG/copy-parameters-data-source-s3.html, DG/loading-data-files-using-manifest.html; compression is declared and never guessed
//! (DG/copy-parameters-file-compression.html). A manifest is plain text, whatever its files are. An object that does not unpack fails the load.

use std::io::Read;

use super::json::{Body, only};
use super::statement::{Compression, Copy};
use super::{Failure, ObjectError, Objects};

/// A file to be loaded, and whether its absence may be overlooked.
#[derive(Debug)]
pub(super) struct Entry {
    pub url: String,
    pub may_be_missing: bool,
}

/// The files of a statement, in the order in which they are read here.
pub(super) fn entries(copy: &Copy, objects: &dyn Objects) -> Result<Vec<Entry>, Failure> {
    if copy.options.manifest {
        return manifest(&copy.from, objects);
    }
    let listed = objects.list(&copy.from).map_err(|error| Failure::object(&error))?;
    if listed.is_empty() {
        let key = copy.from.trim_start_matches("s3://").split_once('/').map_or("", |(_, key)| key);
        return Err(Failure::refused(format!("The specified S3 prefix '{key}' does not exist")));
    }
    Ok(listed.into_iter().map(|(url, _)| Entry { url, may_be_missing: false }).collect())
}

fn manifest(url: &str, objects: &dyn Objects) -> Result<Vec<Entry>, Failure> {
    let file = objects.get(url).map_err(|error| {
        let code = if matches!(error, ObjectError::NotFound(_)) {
            " (8001: a COPY with MANIFEST requires the full path of an Amazon S3 object)"
        } else {
            ""
        };
        Failure::refused(format!("Problem reading manifest file '{url}' - {error}{code}"))
    })?;
    let wrong = |why: &str| {
        Failure::refused(format!("The manifest file '{url}' is not properly formed: {why}"))
    };
    let value = only(&file).map_err(wrong)?;
    let listed = value.member(b"entries").map(|entries| &entries.body);
    let Some(Body::Array(listed)) = listed else { return Err(wrong("it has no array of entries")) };
    let entry = |listed: &super::json::Value<'_>| {
        let url = listed.member(b"url").and_then(|url| url.text())?.to_owned();
        let mandatory = match listed.member(b"mandatory").map(|value| &value.body) {
            None => Some(false),
            Some(Body::Bool(mandatory)) => Some(*mandatory),
            Some(_) => None,
        };
        url.starts_with("s3://").then_some(Entry { url, may_be_missing: !mandatory? })
    };
    let entries: Option<Vec<Entry>> = listed.iter().map(entry).collect();
    entries.ok_or_else(|| wrong("an entry is no object with a url and, perhaps, mandatory"))
}

/// What the object holds, and how large it is as it lies there; nothing if it may be missing, and is.
pub(super) fn read(
    entry: &Entry,
    compression: Compression,
    objects: &dyn Objects,
) -> Result<Option<(Vec<u8>, u64)>, Failure> {
    let stored = match objects.get(&entry.url) {
        Err(ObjectError::NotFound(_)) if entry.may_be_missing => return Ok(None),
        stored => stored.map_err(|error| Failure::object(&error))?,
    };
    let size = stored.len() as u64;
    let mut plain = Vec::new();
    let unpacked = match compression {
        Compression::None => return Ok(Some((stored, size))),
        Compression::Gzip => flate2::read::MultiGzDecoder::new(&stored[..]).read_to_end(&mut plain),
        Compression::Zstd => zstd::stream::read::Decoder::new(&stored[..])
            .and_then(|mut decoder| decoder.read_to_end(&mut plain)),
    };
    match unpacked {
        Ok(_) => Ok(Some((plain, size))),
        Err(error) => {
            Err(Failure::refused(format!("'{}' cannot be decompressed: {error}", entry.url)))
        }
    }
}
