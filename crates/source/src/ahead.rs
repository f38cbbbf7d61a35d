//! Objects that will be read in their order, by several threads: what lies far away is fetched before it is asked for.

use std::sync::Arc;

use super::{Content, Object, SourceError};
#[cfg(feature = "s3")]
use super::{Place, s3};

/// What is under way of a list of objects.
#[derive(Debug, Default)]
pub struct Ahead {
    #[cfg(feature = "s3")]
    fetching: Option<s3::Fetching>,
}

impl Ahead {
    /// Begins to fetch `objects`, where that pays. Dropping it ends what is under way.
    #[cfg_attr(not(feature = "s3"), allow(unused_variables))]
    pub fn start(objects: &Arc<[Object]>) -> Self {
        Self {
            #[cfg(feature = "s3")]
            fetching: s3::Fetching::start(objects),
        }
    }

    /// Opens `object`, the one at `index` of the list.
    #[cfg_attr(not(feature = "s3"), allow(unused_variables))]
    pub fn open(&self, index: usize, object: &Object) -> Result<Content, SourceError> {
        #[cfg(feature = "s3")]
        if let (Some(fetching), Place::S3(bucket)) = (&self.fetching, &object.place) {
            return Content::of_body(object, fetching.take(index, bucket, object));
        }
        Content::open(object)
    }
}
