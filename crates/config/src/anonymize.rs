//! Removal of everything that identifies an account or a person from text that is sent to others:
//! hosts, users, databases, buckets, keys, ARNs and paths.
//!
//! The values that the program was configured with are replaced wherever they occur. What a server
//! adds is replaced by its form: a URL, an ARN, an account number, an address, a path.

use std::borrow::Cow;

use super::{Host, Secret, Server, Settings, WarehouseUrl, redact};

/// Replacement of a removed part.
const REMOVED: &str = "<removed>";
/// Characters that end a word of a message.
const ENDS_WORD: [char; 15] =
    [' ', '"', '\'', '`', ',', ';', '(', ')', '[', ']', '{', '}', '<', '>', '|'];
/// Number of digits of an AWS account.
const ACCOUNT_DIGITS: usize = 12;
/// Number of letters of an access key ID.
const KEY_LETTERS: usize = 20;

/// Removes the private parts of texts.
#[derive(Debug)]
pub struct Anonymizer {
    /// Configured values in lower case, the longest first.
    words: Vec<Secret>,
}

impl Anonymizer {
    /// Creates an anonymizer that knows the configured values.
    pub fn new(settings: &Settings) -> Self {
        let mut words = Vec::new();
        if let WarehouseUrl::Postgres(server) | WarehouseUrl::Redshift(server) = &settings.warehouse
        {
            words.extend(words_of_server(server));
        }
        words.extend(settings.warehouse.file().map(|file| file.display().to_string()));
        let staging = &settings.staging;
        let locations =
            [&settings.song_data, &settings.log_data, &staging.location, &staging.manifest];
        words.extend(locations.into_iter().flatten().flat_map(|location| words_of_url(location)));
        words.extend(staging.role.iter().flat_map(|arn| words_of_arn(arn)));
        words.extend(settings.s3.private_values());
        words.extend(settings.file.iter().map(|file| file.display().to_string()));
        words.extend(std::env::current_dir().ok().map(|folder| folder.display().to_string()));
        Self::of(words)
    }

    fn of(words: Vec<String>) -> Self {
        let mut words: Vec<String> = words
            .into_iter()
            .map(|word| word.to_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        words.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        words.dedup();
        Self { words: words.into_iter().map(Secret::new).collect() }
    }

    /// Returns the text without its private parts.
    pub fn clean(&self, text: &str) -> String {
        let text = redact::without_secrets(text);
        let parts = text.split_inclusive(ENDS_WORD).map(|part| {
            let end = part.trim_end_matches(ENDS_WORD).len();
            let (word, rest) = part.split_at(end);
            format!("{}{rest}", without_private_form(word))
        });
        // Forms come first: a URL without its host would have none.
        let text: String = parts.collect();
        self.words.iter().fold(text, |text, word| without_word(&text, word.reveal()))
    }
}

fn words_of_server(server: &Server) -> Vec<String> {
    let Server { user, database, schema, password, data_api, .. } = server;
    let mut words = vec![user.clone(), database.clone()];
    match &server.host {
        Host::Tcp(name) => {
            words.extend([name.clone(), label(name), format!("{name}:{}", server.port)]);
        }
        Host::Socket(folder) => words.push(folder.display().to_string()),
    }
    words.extend((schema != super::DEFAULT_SCHEMA).then(|| schema.clone()));
    words.extend(password.iter().map(|password| password.reveal().to_owned()));
    words.extend(server.root_certificates.iter().map(|file| file.display().to_string()));
    if let Some(target) = data_api {
        words.extend(
            [&target.cluster, &target.workgroup, &target.user].into_iter().flatten().cloned(),
        );
        words.extend(target.secret.iter().flat_map(|arn| words_of_arn(arn)));
    }
    words
}

/// Returns the first label of a host name: the name of the cluster.
fn label(host: &str) -> String {
    host.split('.').next().filter(|label| label.parse::<u64>().is_err()).unwrap_or_default().into()
}

/// Returns a URL, and the bucket of one in S3.
fn words_of_url(url: &str) -> Vec<String> {
    let rest = url.strip_prefix("s3://");
    let bucket = rest.and_then(|rest| rest.split('/').next());
    let key = rest.and_then(|rest| rest.split_once('/')).map(|(_, key)| key.trim_matches('/'));
    [Some(url), bucket, key].into_iter().flatten().map(str::to_owned).collect()
}

/// Returns an ARN, its account and the name of its resource.
fn words_of_arn(arn: &str) -> Vec<String> {
    let account = arn.split(':').nth(4);
    let name = arn.rsplit(['/', ':']).next();
    [Some(arn), account, name].into_iter().flatten().map(str::to_owned).collect()
}

/// Replaces a word, in lower case, where it is not a part of a longer one.
fn without_word(text: &str, word: &str) -> String {
    let lower = text.to_lowercase();
    // Lower case of some letters has another length; such text is searched as it is written.
    let haystack = if lower.len() == text.len() { Cow::Owned(lower) } else { Cow::Borrowed(text) };
    let is_inner = |letter: Option<char>| letter.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = haystack[from..].find(word).map(|at| from + at) {
        let end = at + word.len();
        let is_part = (is_inner(haystack[..at].chars().next_back())
            && is_inner(word.chars().next()))
            || (is_inner(haystack[end..].chars().next()) && is_inner(word.chars().next_back()));
        clean.push_str(&text[from..at]);
        clean.push_str(if is_part { &text[at..end] } else { REMOVED });
        from = end;
    }
    clean.push_str(&text[from..]);
    clean
}

/// Replaces a word that has the form of a private value.
fn without_private_form(word: &str) -> &str {
    let lower = word.to_lowercase();
    let is_url = lower.contains("://") || lower.contains("arn:") || lower.contains("amazonaws");
    let is_address = word.contains('@') && word.contains('.');
    let is_path = word.strip_prefix(['/', '~']).is_some_and(|rest| {
        rest.trim_start_matches('/')
            .starts_with(|c: char| c.is_alphabetic() || c == '.' || c == '_')
    });
    let is_key = lower.len() == KEY_LETTERS
        && (lower.starts_with("akia") || lower.starts_with("asia"))
        && lower.chars().all(char::is_alphanumeric);
    let mut numbers = word.split(|c: char| !c.is_ascii_digit());
    let is_account = numbers.any(|digits| digits.len() == ACCOUNT_DIGITS) && !word.contains('.');
    if is_url || is_address || is_path || is_key || is_account || has_ip_address(word) {
        REMOVED
    } else {
        word
    }
}

/// Returns true if the word is an IP address, perhaps with a port.
fn has_ip_address(word: &str) -> bool {
    let word = word.trim_matches([':', '.']);
    let host = word.rsplit_once(':').map_or(word, |(host, _)| host);
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    is_address(host) || (word.contains(':') && is_address(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anonymizer(words: &[&str]) -> Anonymizer {
        Anonymizer::of(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn configured_values_are_removed_as_whole_words() {
        let anonymizer = anonymizer(&["dev", "dwh", "My-Bucket", "dwhuser", "c/d", ""]);
        for (text, clean) in [
            ("database \"dev\" of DWHUSER", "database \"<removed>\" of <removed>"),
            ("a device of dwhusers", "a device of dwhusers"),
            ("dev.public.t", "<removed>.public.t"),
            ("lost `redshift://dwhuser@h:5439/dev`", "lost `<removed>`"),
            ("my-bucket/a, c/d", "<removed>/a, <removed>"),
            ("İ dev", "İ <removed>"),
        ] {
            assert_eq!(anonymizer.clean(text), clean);
        }
    }

    #[test]
    fn private_forms_are_removed() {
        let anonymizer = anonymizer(&[]);
        for private in [
            "s3://b/k",
            "https://x.example/a",
            "arn:aws:iam::123456789012:role/r",
            "User:123456789012",
            "a.b.us-west-2.redshift.amazonaws.com:5439",
            "AKIAIOSFODNN7EXAMPLE",
            "someone@example.com",
            "/home/someone/file",
            "~/file",
            "10.0.0.1:5439",
            "10.0.0.1",
            "2001:db8::1",
        ] {
            let text = format!("before {private}, after '{private}' ({private})");
            assert_eq!(anonymizer.clean(&text), "before <removed>, after '<removed>' (<removed>)");
        }
    }

    #[test]
    fn plans_and_results_stay() {
        let anonymizer = anonymizer(&[]);
        for text in [
            "->  XN Seq Scan on staging_songs s  (cost=0.00..1015345167544.46 rows=1 width=4)",
            "Hash Cond: (\"outer\".catid = \"inner\".catid)",
            "Filter: ((ts / 1000) > 1541106106)",
            "2018-11-01 21:01:46.796|1541106106796|0.30000000000000004|∅",
            "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC, Redshift 1.0.12345",
            "'/' and /",
            "",
        ] {
            assert_eq!(anonymizer.clean(text), text);
        }
    }
}
