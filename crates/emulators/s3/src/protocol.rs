//! S3 operations on the objects in memory. Writes are visible when their response is sent.

use std::sync::Arc;

use bytes::Bytes;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput,
    PutObjectOutput, StreamingBlob, UploadPartInput, UploadPartOutput,
};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use crate::listener::IGNORE_RANGE;
use crate::listing;
use crate::multipart;
use crate::state::{State, StoredObject};

/// Maximum size of one request body. S3 allows 5 GB, more than the tests need.
const MAX_BODY: usize = 1 << 30;

/// Implementation of the operations.
pub(crate) struct Buckets(pub(crate) Arc<State>);

#[async_trait::async_trait]
impl S3 for Buckets {
    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let mut input = request.input;
        if request.headers.contains_key(IGNORE_RANGE) {
            input.range = None;
        }
        let object = self.0.find_object(&input.bucket, &input.key)?;
        if matches!(&input.if_match, Some(ETagCondition::ETag(wanted)) if *wanted != object.etag())
        {
            return Err(s3_error!(PreconditionFailed));
        }
        if matches!(&input.if_none_match, Some(ETagCondition::ETag(known)) if *known == object.etag())
        {
            return Err(s3_error!(NotModified));
        }
        let size = object.bytes.len() as u64;
        let (bytes, range) = match &input.range {
            None => (object.bytes.clone(), None),
            Some(range) => {
                let range = range.check(size)?;
                let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let at = |offset: u64| usize::try_from(offset).expect("an offset");
                (object.bytes.slice(at(range.start)..at(range.end)), Some(content_range))
            }
        };
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(bytes.len()).ok(),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            content_range: range,
            e_tag: Some(object.etag()),
            last_modified: Some(object.modified()),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let object = self.0.find_object(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(object.bytes.len()).ok(),
            e_tag: Some(object.etag()),
            last_modified: Some(object.modified()),
            ..HeadObjectOutput::default()
        }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.0.check_bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        listing::list(&self.0, request.input).map(S3Response::new)
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        self.0.check_bucket(&input.bucket)?;
        let bytes = read_body(input.body, input.content_length).await?;
        let conditions = [&input.if_match, &input.if_none_match].map(Option::as_ref);
        let object = self.0.new_version(bytes, 0);
        let e_tag = Some(object.etag());
        self.0.put_if(&input.bucket, &input.key, object, conditions)?;
        Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.0.check_bucket(&request.input.bucket)?;
        self.0.remove(&request.input.bucket, &request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        self.0.check_bucket(&input.bucket)?;
        let mut deleted = Vec::new();
        for object in input.delete.objects {
            self.0.remove(&input.bucket, &object.key);
            deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() });
        }
        let quiet = input.delete.quiet.unwrap_or_default();
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        multipart::create(&self.0, request.input).map(S3Response::new)
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let mut input = request.input;
        let bytes = read_body(input.body.take(), input.content_length).await?;
        multipart::part(&self.0, &input, bytes).map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        multipart::complete(&self.0, request.input).map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        multipart::abort(&self.0, &request.input).map(S3Response::new)
    }
}

/// Reads a body, and checks its length: a truncated upload is not stored.
async fn read_body(body: Option<StreamingBlob>, length: Option<i64>) -> S3Result<Bytes> {
    let mut body = body.map_or_else(Body::empty, Body::from);
    let bytes = body.store_all_limited(MAX_BODY).await.map_err(|_| s3_error!(IncompleteBody))?;
    if length.is_some_and(|length| i64::try_from(bytes.len()) != Ok(length)) {
        return Err(s3_error!(IncompleteBody));
    }
    Ok(bytes)
}

impl State {
    /// Stores an object if the conditions hold for the existing one. The check and the write are
    /// atomic.
    pub(crate) fn put_if(
        &self,
        bucket: &str,
        key: &str,
        object: StoredObject,
        [matching, none_matching]: [Option<&ETagCondition>; 2],
    ) -> S3Result<()> {
        let mut buckets = self.buckets.write().expect("a lock");
        let objects = buckets.get_mut(bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        let holds = |condition: &ETagCondition| match (condition, objects.get(key)) {
            (ETagCondition::Any, found) => found.is_some(),
            (ETagCondition::ETag(wanted), found) => found.is_some_and(|it| it.etag() == *wanted),
        };
        if none_matching.is_some_and(holds) || matching.is_some_and(|condition| !holds(condition)) {
            return Err(s3_error!(PreconditionFailed));
        }
        objects.insert(key.to_owned(), object);
        Ok(())
    }
}
