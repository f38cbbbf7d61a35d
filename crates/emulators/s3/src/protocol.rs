//! What S3 answers about the objects in memory: whole objects and ranges, under conditions; what is put is there when it is answered.

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

use crate::listing;
use crate::state::{State, Stored};
use crate::uploads;
use crate::wire::WHOLE;

/// More than this is not taken in one request, as Amazon's 5 GB are more than a test has.
const MOST: usize = 1 << 30;

/// The buckets, as `s3s` asks them.
pub(crate) struct Buckets(pub(crate) Arc<State>);

#[async_trait::async_trait]
impl S3 for Buckets {
    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let mut input = request.input;
        if request.headers.contains_key(WHOLE) {
            input.range = None;
        }
        let stored = self.0.found(&input.bucket, &input.key)?;
        if matches!(&input.if_match, Some(ETagCondition::ETag(wanted)) if *wanted != stored.etag())
        {
            return Err(s3_error!(PreconditionFailed));
        }
        if matches!(&input.if_none_match, Some(ETagCondition::ETag(had)) if *had == stored.etag()) {
            return Err(s3_error!(NotModified));
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
            e_tag: Some(stored.etag()),
            last_modified: Some(stored.modified()),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let stored = self.0.found(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(stored.bytes.len()).ok(),
            e_tag: Some(stored.etag()),
            last_modified: Some(stored.modified()),
            ..HeadObjectOutput::default()
        }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.0.is_there(&request.input.bucket)?;
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
        self.0.is_there(&input.bucket)?;
        let bytes = whole(input.body, input.content_length).await?;
        let conditions = [&input.if_match, &input.if_none_match].map(Option::as_ref);
        let stored = self.0.version(bytes, 0);
        let e_tag = Some(stored.etag());
        self.0.put_if(&input.bucket, &input.key, stored, conditions)?;
        Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.0.is_there(&request.input.bucket)?;
        self.0.remove(&request.input.bucket, &request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        self.0.is_there(&input.bucket)?;
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
        uploads::create(&self.0, request.input).map(S3Response::new)
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let mut input = request.input;
        let bytes = whole(input.body.take(), input.content_length).await?;
        uploads::part(&self.0, &input, bytes).map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        uploads::complete(&self.0, request.input).map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        uploads::abort(&self.0, &request.input).map(S3Response::new)
    }
}

/// The whole body, as long as its header says: one that breaks off is never put.
async fn whole(body: Option<StreamingBlob>, told: Option<i64>) -> S3Result<Bytes> {
    let mut body = body.map_or_else(Body::empty, Body::from);
    let bytes = body.store_all_limited(MOST).await.map_err(|_| s3_error!(IncompleteBody))?;
    if told.is_some_and(|told| i64::try_from(bytes.len()) != Ok(told)) {
        return Err(s3_error!(IncompleteBody));
    }
    Ok(bytes)
}

impl State {
    /// Puts an object in its place, if what is there is what the conditions say: one step, whoever else puts.
    pub(crate) fn put_if(
        &self,
        bucket: &str,
        key: &str,
        stored: Stored,
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
        objects.insert(key.to_owned(), stored);
        Ok(())
    }
}
