//! Selection and decompression of the objects that a COPY reads.
//!
//! The objects have a common prefix, or a manifest lists them
//! (DG/copy-parameters-data-source-s3.html, DG/loading-data-files-using-manifest.html). The
//! statement declares the compression, which is never detected
//! (DG/copy-parameters-file-compression.html) and does not apply to the manifest. An object that
//! cannot be decompressed fails the load.

use std::io::Read;

use super::json::{Body, single_value};
use super::statement::{Compression, CopyStatement};
use super::{LoadFailure, ObjectError, ObjectReader};

/// File to load.
#[derive(Debug)]
pub(super) struct Entry {
    pub url: String,
    /// True if the load skips the file when it does not exist.
    pub may_be_missing: bool,
}

/// Lists the files of a statement in reading order.
pub(super) fn entries(
    copy: &CopyStatement,
    objects: &dyn ObjectReader,
) -> Result<Vec<Entry>, LoadFailure> {
    if copy.options.manifest {
        return manifest(&copy.from, objects);
    }
    let listed = objects.list(&copy.from).map_err(|error| LoadFailure::object(&error))?;
    if listed.is_empty() {
        let key = copy.from.trim_start_matches("s3://").split_once('/').map_or("", |(_, key)| key);
        return Err(LoadFailure::new(format!("The specified S3 prefix '{key}' does not exist")));
    }
    Ok(listed.into_iter().map(|(url, _)| Entry { url, may_be_missing: false }).collect())
}

fn manifest(url: &str, objects: &dyn ObjectReader) -> Result<Vec<Entry>, LoadFailure> {
    let file = objects.get(url).map_err(|error| {
        let code = if matches!(error, ObjectError::NotFound(_)) {
            " (8001: a COPY with MANIFEST requires the full path of an Amazon S3 object)"
        } else {
            ""
        };
        LoadFailure::new(format!("Problem reading manifest file '{url}' - {error}{code}"))
    })?;
    let malformed = |reason: &str| {
        LoadFailure::new(format!("The manifest file '{url}' is not properly formed: {reason}"))
    };
    let value = single_value(&file).map_err(malformed)?;
    let listed = value.member(b"entries").map(|entries| &entries.body);
    let Some(Body::Array(listed)) = listed else {
        return Err(malformed("missing array `entries`"));
    };
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
    let reason = "each entry must be an object with `url` and optionally `mandatory`";
    entries.ok_or_else(|| malformed(reason))
}

/// Reads and decompresses a file; returns its content and the size of the stored object.
///
/// Returns `None` if the file does not exist and may be missing.
pub(super) fn read(
    entry: &Entry,
    compression: Compression,
    objects: &dyn ObjectReader,
) -> Result<Option<(Vec<u8>, u64)>, LoadFailure> {
    let stored = match objects.get(&entry.url) {
        Err(ObjectError::NotFound(_)) if entry.may_be_missing => return Ok(None),
        stored => stored.map_err(|error| LoadFailure::object(&error))?,
    };
    let size = stored.len() as u64;
    let mut plain = Vec::new();
    let decompressed = match compression {
        Compression::None => return Ok(Some((stored, size))),
        Compression::Gzip => flate2::read::MultiGzDecoder::new(&stored[..]).read_to_end(&mut plain),
        Compression::Zstd => zstd::stream::read::Decoder::new(&stored[..])
            .and_then(|mut decoder| decoder.read_to_end(&mut plain)),
    };
    match decompressed {
        Ok(_) => Ok(Some((plain, size))),
        Err(error) => {
            Err(LoadFailure::new(format!("'{}' cannot be decompressed: {error}", entry.url)))
        }
    }
}
