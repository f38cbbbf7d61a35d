//! Prefetch of objects that several threads will read in order.

use std::sync::Arc;

#[cfg(feature = "s3")]
use super::s3;
use super::{Content, Object, SourceError};

/// Prefetched list of objects. Only objects in S3 are downloaded before they are opened.
#[derive(Debug, Default)]
pub struct Prefetch {
    #[cfg(feature = "s3")]
    downloads: Option<s3::Downloads>,
}

impl Prefetch {
    /// Starts to prefetch `objects`. Dropping the prefetch cancels the downloads.
    #[cfg_attr(not(feature = "s3"), allow(unused_variables))]
    pub fn start(objects: &Arc<[Object]>) -> Self {
        Self {
            #[cfg(feature = "s3")]
            downloads: s3::Downloads::start(objects),
        }
    }

    /// Opens `object`, which is at `index` of the list.
    #[cfg_attr(not(feature = "s3"), allow(unused_variables))]
    pub fn open(&self, index: usize, object: &Object) -> Result<Content, SourceError> {
        #[cfg(feature = "s3")]
        if let Some(body) = self.downloads.as_ref().and_then(|it| it.take(index, object)) {
            return Content::of_body(object, body);
        }
        Content::open(object)
    }
}
