//! Objects that come in parts: nothing is there before the last word, and then all of it.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Result, s3_error};

use crate::state::{State, Stored};

/// Every part but the last is at least so large.
const LEAST: usize = 5 << 20;

/// What has come of an object.
#[derive(Debug)]
pub(crate) struct Upload {
    bucket: String,
    key: String,
    parts: BTreeMap<i32, Stored>,
}

impl Upload {
    fn is_of(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && self.key == key
    }
}

pub(crate) fn create(
    state: &State,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    state.is_there(&input.bucket)?;
    let id = format!("upload-{}", state.version(Bytes::new(), 0).version);
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    state.uploads().insert(id.clone(), Upload { bucket, key, parts: BTreeMap::new() });
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        ..CreateMultipartUploadOutput::default()
    })
}

pub(crate) fn part(
    state: &State,
    input: &UploadPartInput,
    bytes: Bytes,
) -> S3Result<UploadPartOutput> {
    if !(1..=10_000).contains(&input.part_number) {
        return Err(s3_error!(InvalidArgument));
    }
    let stored = state.version(bytes, 0);
    let e_tag = Some(stored.etag());
    let mut uploads = state.uploads();
    let upload = uploads.get_mut(&input.upload_id);
    let upload = upload.filter(|upload| upload.is_of(&input.bucket, &input.key));
    upload.ok_or_else(|| s3_error!(NoSuchUpload))?.parts.insert(input.part_number, stored);
    Ok(UploadPartOutput { e_tag, ..UploadPartOutput::default() })
}

pub(crate) fn complete(
    state: &State,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let listed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let stored = {
        let uploads = state.uploads();
        let upload = uploads.get(&input.upload_id);
        let upload = upload.filter(|upload| upload.is_of(&input.bucket, &input.key));
        let whole = joined(upload.ok_or_else(|| s3_error!(NoSuchUpload))?, &listed)?;
        state.version(whole, listed.len())
    };
    let e_tag = Some(stored.etag());
    let conditions = [&input.if_match, &input.if_none_match].map(Option::as_ref);
    state.put_if(&input.bucket, &input.key, stored, conditions)?;
    state.uploads().remove(&input.upload_id);
    Ok(CompleteMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag,
        ..CompleteMultipartUploadOutput::default()
    })
}

/// The parts that were named, in their order, each as it was told to be.
fn joined(upload: &Upload, listed: &[CompletedPart]) -> S3Result<Bytes> {
    if listed.is_empty() {
        return Err(s3_error!(MalformedXML));
    }
    if !listed.is_sorted_by(|one, other| one.part_number < other.part_number) {
        return Err(s3_error!(InvalidPartOrder));
    }
    let mut whole = BytesMut::new();
    for (at, told) in listed.iter().enumerate() {
        let part = told.part_number.and_then(|number| upload.parts.get(&number));
        let part = part.filter(|part| told.e_tag.as_ref() == Some(&part.etag()));
        let part = part.ok_or_else(|| s3_error!(InvalidPart))?;
        if part.bytes.len() < LEAST && at + 1 < listed.len() {
            return Err(s3_error!(EntityTooSmall));
        }
        whole.extend_from_slice(&part.bytes);
    }
    Ok(whole.freeze())
}

pub(crate) fn abort(
    state: &State,
    input: &AbortMultipartUploadInput,
) -> S3Result<AbortMultipartUploadOutput> {
    let mut uploads = state.uploads();
    let upload = uploads.get(&input.upload_id);
    if !upload.is_some_and(|upload| upload.is_of(&input.bucket, &input.key)) {
        return Err(s3_error!(NoSuchUpload));
    }
    uploads.remove(&input.upload_id);
    Ok(AbortMultipartUploadOutput::default())
}
