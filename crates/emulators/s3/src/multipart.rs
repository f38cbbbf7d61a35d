//! Multipart uploads. The object appears, atomically, when its upload is completed.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Result, s3_error};

use crate::state::{State, StoredObject};

/// Minimum size of all parts except the last, as in S3.
const MIN_PART: usize = 5 << 20;

/// Upload in progress.
#[derive(Debug)]
pub(crate) struct Upload {
    bucket: String,
    key: String,
    parts: BTreeMap<i32, StoredObject>,
}

impl Upload {
    fn is_for(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && self.key == key
    }
}

pub(crate) fn create(
    state: &State,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    state.check_bucket(&input.bucket)?;
    let id = format!("upload-{}", state.new_version(Bytes::new(), 0).version);
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
    let part = state.new_version(bytes, 0);
    let e_tag = Some(part.etag());
    let mut uploads = state.uploads();
    let upload = uploads.get_mut(&input.upload_id);
    let upload = upload.filter(|upload| upload.is_for(&input.bucket, &input.key));
    upload.ok_or_else(|| s3_error!(NoSuchUpload))?.parts.insert(input.part_number, part);
    Ok(UploadPartOutput { e_tag, ..UploadPartOutput::default() })
}

pub(crate) fn complete(
    state: &State,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let listed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let object = {
        let uploads = state.uploads();
        let upload = uploads.get(&input.upload_id);
        let upload = upload.filter(|upload| upload.is_for(&input.bucket, &input.key));
        let bytes = concatenated(upload.ok_or_else(|| s3_error!(NoSuchUpload))?, &listed)?;
        state.new_version(bytes, listed.len())
    };
    let e_tag = Some(object.etag());
    let conditions = [&input.if_match, &input.if_none_match].map(Option::as_ref);
    state.put_if(&input.bucket, &input.key, object, conditions)?;
    state.uploads().remove(&input.upload_id);
    Ok(CompleteMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag,
        ..CompleteMultipartUploadOutput::default()
    })
}

/// Concatenates the listed parts after checking their order, etags and sizes.
fn concatenated(upload: &Upload, listed: &[CompletedPart]) -> S3Result<Bytes> {
    if listed.is_empty() {
        return Err(s3_error!(MalformedXML));
    }
    if !listed.is_sorted_by(|one, other| one.part_number < other.part_number) {
        return Err(s3_error!(InvalidPartOrder));
    }
    let mut bytes = BytesMut::new();
    for (index, listed_part) in listed.iter().enumerate() {
        let part = listed_part.part_number.and_then(|number| upload.parts.get(&number));
        let part = part.filter(|part| listed_part.e_tag.as_ref() == Some(&part.etag()));
        let part = part.ok_or_else(|| s3_error!(InvalidPart))?;
        if part.bytes.len() < MIN_PART && index + 1 < listed.len() {
            return Err(s3_error!(EntityTooSmall));
        }
        bytes.extend_from_slice(&part.bytes);
    }
    Ok(bytes.freeze())
}

pub(crate) fn abort(
    state: &State,
    input: &AbortMultipartUploadInput,
) -> S3Result<AbortMultipartUploadOutput> {
    let mut uploads = state.uploads();
    let upload = uploads.get(&input.upload_id);
    if !upload.is_some_and(|upload| upload.is_for(&input.bucket, &input.key)) {
        return Err(s3_error!(NoSuchUpload));
    }
    uploads.remove(&input.upload_id);
    Ok(AbortMultipartUploadOutput::default())
}
