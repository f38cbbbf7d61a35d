//! Listings: pages of the keys with a prefix, and their common prefixes.

use std::sync::atomic::Ordering;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{CommonPrefix, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object};
use s3s::{S3Result, s3_error};

use crate::state::{Objects, State, StoredObject};

/// Maximum number of keys and common prefixes of a page, as in S3.
const PAGE_SIZE: usize = 1000;

pub(crate) fn list(state: &State, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let encode = input.encoding_type.is_some() && state.encodes_keys.load(Ordering::Relaxed);
    let formatted = |key: &str| {
        if !encode {
            return key.to_owned();
        }
        utf8_percent_encode(key, NON_ALPHANUMERIC).to_string().replace("%20", "+")
    };
    let buckets = state.buckets.read().expect("a lock");
    let objects = buckets.get(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
    let page = page(objects, &input);
    let object = |(key, object): &(String, StoredObject)| Object {
        key: Some(formatted(key)),
        size: i64::try_from(object.bytes.len()).ok(),
        e_tag: Some(object.etag()).filter(|_| !state.omits_etags.load(Ordering::Relaxed)),
        last_modified: Some(object.modified()),
        ..Object::default()
    };
    let common_prefix = |prefix: &String| CommonPrefix { prefix: Some(formatted(prefix)) };
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next,
        contents: Some(page.objects.iter().map(object).collect()),
        common_prefixes: Some(page.prefixes.iter().map(common_prefix).collect()),
        encoding_type: encode.then(|| EncodingType::from_static(EncodingType::URL)),
        ..ListObjectsV2Output::default()
    })
}

#[derive(Default)]
struct Page {
    objects: Vec<(String, StoredObject)>,
    /// Common prefixes.
    prefixes: Vec<String>,
    /// Continuation token: the last key or common prefix of this page.
    next: Option<String>,
}

/// Collects a page, starting after the continuation token or `start-after`.
fn page(objects: &Objects, input: &ListObjectsV2Input) -> Page {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let after = input.continuation_token.as_deref().or(input.start_after.as_deref());
    let after = after.unwrap_or_default();
    let mut page = Page::default();
    let from = if after > prefix { after } else { prefix };
    let max_keys = input.max_keys.and_then(|keys| usize::try_from(keys).ok());
    let max_keys = max_keys.unwrap_or(PAGE_SIZE).min(PAGE_SIZE);
    for (key, object) in objects.range(from.to_owned()..) {
        let Some(rest) = key.strip_prefix(prefix) else { break };
        let common_prefix = input
            .delimiter
            .as_deref()
            .and_then(|delimiter| rest.split_once(delimiter))
            .map(|(branch, _)| format!("{prefix}{branch}/"));
        let listed = common_prefix.as_ref().unwrap_or(key);
        // Keys below a common prefix sort after it: skip those of a prefix that is already listed,
        // in this page or an earlier one.
        if !after.is_empty() && (listed.as_str() <= after)
            || common_prefix.is_some() && page.prefixes.last() == common_prefix.as_ref()
        {
            continue;
        }
        if page.objects.len() + page.prefixes.len() == max_keys {
            let last = page.objects.last().map(|(key, _)| key.clone());
            page.next = last.max(page.prefixes.last().cloned());
            break;
        }
        match common_prefix {
            Some(common_prefix) => page.prefixes.push(common_prefix),
            None => page.objects.push((key.clone(), object.clone())),
        }
    }
    page
}
