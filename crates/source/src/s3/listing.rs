//! Listing of all keys under a prefix (`ListObjectsV2`).
//!
//! The protocol returns one page after the other. A prefix of more than one page whose keys are in
//! a few folders is therefore split at `/`, and the folders are listed at the same time.
//!
//! A server that is damaged or hostile must not make a listing endless, or add objects that were
//! not asked for: continuation tokens and prefixes may not repeat, pages bring new keys, and every
//! key is below the prefix.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use percent_encoding::percent_decode_str;
use quick_xml::de::from_reader;
use reqwest::Method;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::JoinSet;

use super::request::{Client, ReadRequest};
use crate::SourceError;
use sparkify_aws::encoded;

/// Most folders on the first page for a split: each then has some hundred keys, so that the extra
/// requests pay off.
const FEW: usize = 5;

/// Attempts to read a page that is not valid XML.
const ATTEMPTS: u32 = 3;

/// Most pages of a listing: a billion keys, if the pages are full.
const MAX_PAGES: u64 = 1_000_000;
/// Most pages without a key, one after the other. S3 sends some where many objects were deleted.
const MAX_EMPTY_PAGES: u32 = 1000;
/// Longest key in bytes, a limit of S3.
const MAX_KEY: usize = 1024;

/// Key with its metadata.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub key: String,
    pub size: u64,
    pub modified_ns: i64,
    pub etag: Option<String>,
}

/// Response of `ListObjectsV2`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    contents: Vec<Entry>,
    #[serde(default)]
    common_prefixes: Vec<CommonPrefix>,
    is_truncated: Option<bool>,
    next_continuation_token: Option<String>,
    /// `url` if keys are percent-encoded. It is requested, since XML cannot hold every character,
    /// but not every server supports it.
    encoding_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    size: u64,
    last_modified: Option<String>,
    e_tag: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommonPrefix {
    prefix: String,
}

/// Keys of one prefix, and the longer prefixes below it that are not listed yet.
#[derive(Debug, Default)]
struct Branch {
    listed: Vec<Listed>,
    below: Vec<String>,
}

/// Returns every key that begins with `prefix`, sorted.
pub(super) async fn list(client: &Arc<Client>, prefix: &str) -> Result<Vec<Listed>, SourceError> {
    let mut listed = Vec::new();
    let mut tasks = JoinSet::new();
    let pages = Arc::new(AtomicU64::new(0));
    tasks.spawn(branch(Arc::clone(client), prefix.to_owned(), Arc::clone(&pages)));
    while let Some(done) = tasks.join_next().await {
        // A task that panicked or was cancelled must not look like a prefix without keys.
        let Branch { listed: more, below } = done.map_err(|_| super::task_ended("list"))??;
        listed.extend(more);
        for prefix in below {
            tasks.spawn(branch(Arc::clone(client), prefix, Arc::clone(&pages)));
        }
    }
    listed.sort_unstable_by(|one: &Listed, other| one.key.cmp(&other.key));
    listed.dedup_by(|one, other| one.key == other.key);
    Ok(listed)
}

async fn branch(
    client: Arc<Client>,
    prefix: String,
    pages: Arc<AtomicU64>,
) -> Result<Branch, SourceError> {
    let (first, mut token) = page(&client, &prefix, false, None).await?;
    if token.is_some() && is_worth_splitting(&first.listed, &prefix) {
        let (split, more) = page(&client, &prefix, true, None).await?;
        if more.is_none() {
            return Ok(split);
        }
    }
    let mut branch = first;
    let (mut tokens, mut empty) = (HashSet::new(), 0);
    while let Some(current) = token {
        let (next, following) = page(&client, &prefix, false, Some(&current)).await?;
        empty = if next.listed.is_empty() { empty + 1 } else { 0 };
        let what = if !tokens.insert(current) {
            "repeated a continuation token"
        } else if !is_progress(&branch.listed, &next.listed) {
            "repeated a key"
        } else if empty > MAX_EMPTY_PAGES || pages.fetch_add(1, Ordering::Relaxed) > MAX_PAGES {
            "sent an endless listing"
        } else {
            branch.listed.extend(next.listed);
            token = following;
            continue;
        };
        return Err(invalid_listing(&client, &prefix, what));
    }
    Ok(branch)
}

/// Returns true if the next page does not begin again with keys of the last one. Not every server
/// sorts the keys, so that other repetitions are left to the limit of pages.
fn is_progress(listed: &[Listed], next: &[Listed]) -> bool {
    let Some(first) = next.first() else { return true };
    listed.first().is_none_or(|known| known.key != first.key)
        && listed.last().is_none_or(|known| known.key != first.key)
}

fn is_worth_splitting(listed: &[Listed], prefix: &str) -> bool {
    let rest = |listed: &Listed| {
        let (branch, _) = listed.key.get(prefix.len()..)?.split_once('/')?;
        Some(branch.to_owned())
    };
    let branches: BTreeSet<_> = listed.iter().filter_map(rest).collect();
    (1..=FEW).contains(&branches.len())
}

/// Returns one page, and the continuation token of the next one.
async fn page(
    client: &Client,
    prefix: &str,
    split: bool,
    token: Option<&str>,
) -> Result<(Branch, Option<String>), SourceError> {
    let mut query = String::from("?");
    if let Some(token) = token {
        query = format!("{query}continuation-token={}&", encoded(token, false));
    }
    if split {
        query.push_str("delimiter=%2F&");
    }
    let prefix_encoded = encoded(prefix, false);
    query = format!("{query}encoding-type=url&list-type=2&prefix={prefix_encoded}");
    let location = format!("s3://{}/{prefix}", client.bucket);
    let request = ReadRequest {
        method: Method::GET,
        key: "",
        query,
        headers: Vec::new(),
        doing: "list",
        location: &location,
    };
    let page = parsed(client, &request, prefix).await?;
    let next = match (page.is_truncated, &page.next_continuation_token) {
        (Some(true), None) => {
            let what = "sent a truncated listing without a continuation token";
            return Err(invalid_listing(client, prefix, what));
        }
        (Some(false), _) => None,
        (_, token) => token.clone().filter(|token| !token.is_empty()),
    };
    let branch = decode(page).ok_or_else(|| {
        invalid_listing(client, prefix, "sent a key that is not UTF-8, or an invalid time")
    })?;
    let is_below = |key: &str| key.starts_with(prefix) && key.len() <= MAX_KEY;
    let keys = branch.listed.iter().all(|listed| is_below(&listed.key));
    let longer = |below: &String| is_below(below) && below.len() > prefix.len();
    if !keys || !branch.below.iter().all(longer) {
        let what = "sent a key outside of the prefix, or one longer than 1,024 bytes";
        return Err(invalid_listing(client, prefix, what));
    }
    Ok((branch, next))
}

/// Requests and parses a page. Retries if it is not valid XML, since it may be truncated.
async fn parsed(
    client: &Client,
    request: &ReadRequest<'_>,
    prefix: &str,
) -> Result<Page, SourceError> {
    for _ in 0..ATTEMPTS {
        let (_, body) = client.short(request).await?;
        if let Ok(page) = from_reader(body.as_slice()) {
            return Ok(page);
        }
    }
    Err(invalid_listing(client, prefix, "did not send the XML of an S3 listing"))
}

/// Decodes keys and times; none if one of them is invalid.
fn decode(page: Page) -> Option<Branch> {
    let is_encoded = page.encoding_type.as_deref() == Some("url");
    let decoded = |text: String| {
        if !is_encoded {
            return Some(text);
        }
        // Form encoding: a `+` stands for a space, and a literal `+` is always encoded.
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    let mut branch = Branch::default();
    for entry in page.contents {
        let modified = match &entry.last_modified {
            Some(text) => OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos(),
            None => 0,
        };
        branch.listed.push(Listed {
            key: decoded(entry.key)?,
            size: entry.size,
            modified_ns: i64::try_from(modified).ok()?,
            etag: entry.e_tag.as_deref().and_then(super::quoted),
        });
    }
    for below in page.common_prefixes {
        branch.below.push(decoded(below.prefix)?);
    }
    Some(branch)
}

fn invalid_listing(client: &Client, prefix: &str, what: &str) -> SourceError {
    SourceError::Store {
        doing: "list",
        location: format!("s3://{}/{prefix}", client.bucket),
        reason: format!("`{}` {what}", client.server_name()),
        hint: "check that `--endpoint-url` is a server that supports S3".into(),
    }
}

/// Returns the first names in a folder; subfolders without their `/`.
pub(super) async fn names(client: &Client, folder: &str) -> Result<Vec<String>, SourceError> {
    let (branch, _) = page(client, folder, true, None).await?;
    let keys = branch.listed.into_iter().map(|listed| listed.key);
    let folders = branch.below.into_iter().map(|below| below.trim_end_matches('/').to_owned());
    Ok(keys.chain(folders).collect())
}
