//! What S3 answers about the objects in memory: listings by page, whole objects and ranges, under conditions.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, ETag, ETagCondition, EncodingType, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    StreamingBlob, Timestamp,
};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use super::server::{BUCKET, State, Stored};

/// A page has as many keys as Amazon's.
const PAGE: usize = 1000;

/// The bucket, as `s3s` asks it.
pub(crate) struct Bucket(pub(crate) Arc<State>);

impl Bucket {
    fn stored(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        if bucket != BUCKET {
            return Err(s3_error!(NoSuchBucket));
        }
        let objects = self.0.objects.read().expect("a lock");
        objects.get(key).cloned().ok_or_else(|| s3_error!(NoSuchKey))
    }
}

fn etag(stored: &Stored) -> ETag {
    ETag::Strong(format!("{:032x}", stored.version))
}

/// Long ago: the time alone leaves no doubt.
fn modified(stored: &Stored) -> Timestamp {
    (SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000 + stored.version)).into()
}

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let stored = self.stored(&input.bucket, &input.key)?;
        if let Some(ETagCondition::ETag(wanted)) = &input.if_match
            && *wanted != etag(&stored)
        {
            return Err(s3_error!(PreconditionFailed));
        }
        let size = stored.bytes.len() as u64;
        let (bytes, range) = match &input.range {
            None => (stored.bytes.clone(), None),
            Some(range) => {
                let range = range.check(size)?;
                let told = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let at = |offset: u64| usize::try_from(offset).expect("an offset");
                (stored.bytes.slice(at(range.start)..at(range.end)), Some(told))
            }
        };
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(bytes.len()).ok(),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            content_range: range,
            e_tag: Some(etag(&stored)),
            last_modified: Some(modified(&stored)),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let stored = self.stored(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(stored.bytes.len()).ok(),
            e_tag: Some(etag(&stored)),
            last_modified: Some(modified(&stored)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        if input.bucket != BUCKET {
            return Err(s3_error!(NoSuchBucket));
        }
        let encodes = input.encoding_type.is_some() && self.0.encodes.load(Ordering::Relaxed);
        let shown = |key: &str| {
            let as_in_a_url = || utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
            if encodes { as_in_a_url().replace("%20", "+") } else { key.to_owned() }
        };
        let page = self.page(&input);
        let object = |(key, stored): &(String, Stored)| Object {
            key: Some(shown(key)),
            size: i64::try_from(stored.bytes.len()).ok(),
            e_tag: Some(etag(stored)),
            last_modified: Some(modified(stored)),
            ..Object::default()
        };
        let below = |prefix: &String| CommonPrefix { prefix: Some(shown(prefix)) };
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next,
            contents: Some(page.objects.iter().map(object).collect()),
            common_prefixes: Some(page.below.iter().map(below).collect()),
            encoding_type: encodes.then(|| EncodingType::from_static(EncodingType::URL)),
            ..ListObjectsV2Output::default()
        }))
    }
}

#[derive(Default)]
struct Page {
    objects: Vec<(String, Stored)>,
    below: Vec<String>,
    next: Option<String>,
}

impl Bucket {
    /// The token is the last key or prefix that was told.
    fn page(&self, input: &ListObjectsV2Input) -> Page {
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let after = input.continuation_token.as_deref().unwrap_or_default();
        let objects = self.0.objects.read().expect("a lock");
        let mut page = Page::default();
        let from = if after > prefix { after } else { prefix };
        for (key, stored) in objects.range(from.to_owned()..) {
            let Some(rest) = key.strip_prefix(prefix) else { break };
            let branch = input
                .delimiter
                .as_deref()
                .and_then(|delimiter| rest.split_once(delimiter))
                .map(|(branch, _)| format!("{prefix}{branch}/"));
            let told = branch.as_ref().unwrap_or(key);
            if !after.is_empty() && (told.as_str() <= after)
                || branch.is_some() && page.below.last() == branch.as_ref()
            {
                continue;
            }
            if page.objects.len() + page.below.len() == PAGE {
                let last = page.objects.last().map(|(key, _)| key.clone());
                page.next = last.max(page.below.last().cloned());
                break;
            }
            match branch {
                Some(branch) => page.below.push(branch),
                None => page.objects.push((key.clone(), stored.clone())),
            }
        }
        page
    }
}

/// So many objects with the same bytes, as a store far away has them.
pub(crate) fn many(
    state: &State,
    count: u32,
    name: impl Fn(u32) -> String,
    bytes: impl Fn(u32) -> Bytes,
) {
    for number in 0..count {
        state.put(&name(number), bytes(number));
    }
}
