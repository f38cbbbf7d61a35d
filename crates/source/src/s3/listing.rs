//! Every key under a prefix. A prefix that holds more than one page is split at its `/` when few branches hold many keys each, and these are listed
//! at the same time; else it is listed page after page, as the protocol has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use quick_xml::de::from_reader;
use reqwest::Method;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::JoinSet;

use super::request::{Ask, Client};
use crate::SourceError;
use sparkify_aws::encoded;

/// Splitting pays when the first page has at most so many branches: then each of them holds some hundred keys.
const FEW: usize = 5;

/// So often is a page asked for that is no XML.
const TRIES: u32 = 3;

/// A key as it is listed.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub key: String,
    pub size: u64,
    pub modified_ns: i64,
    pub etag: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    contents: Vec<Content>,
    #[serde(default)]
    common_prefixes: Vec<CommonPrefix>,
    is_truncated: Option<bool>,
    next_continuation_token: Option<String>,
    /// Whether keys are percent-encoded: XML cannot hold every character, and not every server does as it was asked.
    encoding_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
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

/// What one branch holds, and the branches below it that are still to be listed.
#[derive(Debug, Default)]
struct Branch {
    listed: Vec<Listed>,
    below: Vec<String>,
}

/// Every key that begins with `prefix`, in their order.
pub(super) async fn list(client: &Arc<Client>, prefix: &str) -> Result<Vec<Listed>, SourceError> {
    let mut listed = Vec::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(branch(Arc::clone(client), prefix.to_owned()));
    while let Some(done) = tasks.join_next().await {
        // A task that is gone was ended by us.
        let Ok(branch_done) = done else { continue };
        let Branch { listed: more, below } = branch_done?;
        listed.extend(more);
        for prefix in below {
            tasks.spawn(branch(Arc::clone(client), prefix));
        }
    }
    listed.sort_unstable_by(|one: &Listed, other| one.key.cmp(&other.key));
    listed.dedup_by(|one, other| one.key == other.key);
    Ok(listed)
}

async fn branch(client: Arc<Client>, prefix: String) -> Result<Branch, SourceError> {
    let (first, mut token) = page(&client, &prefix, false, None).await?;
    if token.is_some() && is_worth_splitting(&first.listed, &prefix) {
        let (split, more) = page(&client, &prefix, true, None).await?;
        if more.is_none() {
            return Ok(split);
        }
    }
    let mut branch = first;
    while let Some(asked) = token {
        let (next, then) = page(&client, &prefix, false, Some(&asked)).await?;
        branch.listed.extend(next.listed);
        if then.as_ref() == Some(&asked) {
            return Err(senseless(&client, &prefix, "its listing goes round in a circle"));
        }
        token = then;
    }
    Ok(branch)
}

fn is_worth_splitting(listed: &[Listed], prefix: &str) -> bool {
    let rest = |listed: &Listed| {
        let (branch, _) = listed.key.get(prefix.len()..)?.split_once('/')?;
        Some(branch.to_owned())
    };
    let branches: BTreeSet<_> = listed.iter().filter_map(rest).collect();
    (1..=FEW).contains(&branches.len())
}

/// One page, and the token of the next one.
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
    let ask = Ask {
        method: Method::GET,
        key: "",
        query,
        headers: Vec::new(),
        doing: "list",
        location: &location,
    };
    let page = parsed(client, &ask, prefix).await?;
    let next = match (page.is_truncated, &page.next_continuation_token) {
        (Some(true), None) => {
            return Err(senseless(client, prefix, "its listing breaks off without a way on"));
        }
        (Some(false), _) => None,
        (_, token) => token.clone().filter(|token| !token.is_empty()),
    };
    understood(page).map(|branch| (branch, next)).ok_or_else(|| {
        senseless(client, prefix, "its listing has a key that is no UTF-8, or a time that is none")
    })
}

/// The answer as XML. One that is none may have been cut short on its way, so it is asked for again.
async fn parsed(client: &Client, ask: &Ask<'_>, prefix: &str) -> Result<Page, SourceError> {
    for _ in 0..TRIES {
        let (_, body) = client.short(ask).await?;
        if let Ok(page) = from_reader(body.as_slice()) {
            return Ok(page);
        }
    }
    Err(senseless(client, prefix, "its listing is not the XML that S3 gives"))
}

fn understood(page: Page) -> Option<Branch> {
    let is_encoded = page.encoding_type.as_deref() == Some("url");
    let decode = |text: String| {
        if !is_encoded {
            return Some(text);
        }
        // As a form writes it: a space may have become a `+`, and a `+` never stays.
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    let mut branch = Branch::default();
    for content in page.contents {
        let modified = match &content.last_modified {
            Some(text) => OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos(),
            None => 0,
        };
        branch.listed.push(Listed {
            key: decode(content.key)?,
            size: content.size,
            modified_ns: i64::try_from(modified).ok()?,
            etag: content.e_tag.as_deref().and_then(super::quoted),
        });
    }
    for below in page.common_prefixes {
        branch.below.push(decode(below.prefix)?);
    }
    Some(branch)
}

fn senseless(client: &Client, prefix: &str, what: &str) -> SourceError {
    SourceError::Store {
        doing: "list",
        location: format!("s3://{}/{prefix}", client.bucket),
        reason: format!("`{}` was asked, and {what}", client.server_name()),
        hint: "check that `--endpoint-url` names a server that speaks S3".into(),
    }
}

/// The first names in a folder, those of folders without their `/`.
pub(super) async fn names(client: &Client, folder: &str) -> Result<Vec<String>, SourceError> {
    let (branch, _) = page(client, folder, true, None).await?;
    let keys = branch.listed.into_iter().map(|listed| listed.key);
    let folders = branch.below.into_iter().map(|below| below.trim_end_matches('/').to_owned());
    Ok(keys.chain(folders).collect())
}
