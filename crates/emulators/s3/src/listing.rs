//! Listings by page: what lies under a prefix, and the branches below it.

use std::sync::atomic::Ordering;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{CommonPrefix, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object};
use s3s::{S3Result, s3_error};

use crate::state::{Objects, State, Stored};

/// A page has as many keys as Amazon's.
const PAGE: usize = 1000;

pub(crate) fn list(state: &State, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let encodes = input.encoding_type.is_some() && state.encodes.load(Ordering::Relaxed);
    let shown = |key: &str| {
        let as_in_a_url = || utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
        if encodes { as_in_a_url().replace("%20", "+") } else { key.to_owned() }
    };
    let buckets = state.buckets.read().expect("a lock");
    let objects = buckets.get(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
    let page = page(objects, &input);
    let object = |(key, stored): &(String, Stored)| Object {
        key: Some(shown(key)),
        size: i64::try_from(stored.bytes.len()).ok(),
        e_tag: Some(stored.etag()).filter(|_| !state.tells_no_etag.load(Ordering::Relaxed)),
        last_modified: Some(stored.modified()),
        ..Object::default()
    };
    let below = |prefix: &String| CommonPrefix { prefix: Some(shown(prefix)) };
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next,
        contents: Some(page.objects.iter().map(object).collect()),
        common_prefixes: Some(page.below.iter().map(below).collect()),
        encoding_type: encodes.then(|| EncodingType::from_static(EncodingType::URL)),
        ..ListObjectsV2Output::default()
    })
}

#[derive(Default)]
struct Page {
    objects: Vec<(String, Stored)>,
    below: Vec<String>,
    next: Option<String>,
}

/// The token is the last key or prefix that was told.
fn page(objects: &Objects, input: &ListObjectsV2Input) -> Page {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let after = input.continuation_token.as_deref().or(input.start_after.as_deref());
    let after = after.unwrap_or_default();
    let mut page = Page::default();
    let from = if after > prefix { after } else { prefix };
    let most = input.max_keys.and_then(|keys| usize::try_from(keys).ok()).unwrap_or(PAGE).min(PAGE);
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
        if page.objects.len() + page.below.len() == most {
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
