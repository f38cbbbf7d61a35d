//! What is safe to show: a message in which passwords of URLs, and values whose names say what they are, have become `****`.

/// Where a word of a message ends.
const ENDS_WORD: [char; 4] = [' ', '"', '\'', '`'];
/// What the name of a value that nobody may read has in it.
const SECRET_NAMES: [&str; 6] =
    ["password", "secret", "token", "signature", "credential", "access_key"];

/// A text without secrets, in one line. A message may quote what a server or a library was told.
pub fn without_secrets(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let urls: String = text.split_inclusive(ENDS_WORD).map(without_password).collect();
    let ends_value = |c: char| ENDS_WORD.contains(&c) || ['&', ';', ',', '?'].contains(&c);
    urls.split_inclusive(ends_value).map(|part| without_value(part, ends_value)).collect()
}

/// A URL for a message: whatever stands between `://` and the last `@` may hold a password, and is left out. The key of an object in S3 may have
/// an `@` in it, and never a password.
pub fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(start), Some(at)) if start < at && !url.starts_with("s3:") => {
            format!("{}****{}", &url[..start + 3], &url[at..])
        }
        _ => url.to_owned(),
    }
}

fn without_value(part: &str, ends_value: impl Fn(char) -> bool) -> String {
    match part.split_once('=') {
        Some((name, value)) if is_secret(name) => {
            let end = value.find(ends_value).unwrap_or(value.len());
            format!("{name}=****{}", &value[end..])
        }
        _ => part.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_no_secret() {
        for (said, kept) in [
            (
                "no route to `postgres://me:s3,c@h:5439/dev`",
                "no route to `postgres://****@h:5439/dev`",
            ),
            ("x?X-Amz-Signature=ab12&n=1", "x?X-Amz-Signature=****&n=1"),
            (
                "near 'aws_access_key_id=A;aws_secret_access_key=B'",
                "near 'aws_access_key_id=****;aws_secret_access_key=****'",
            ),
            (
                "cannot read `s3://bucket/me@home.json`\nat 1",
                "cannot read `s3://bucket/me@home.json` at 1",
            ),
        ] {
            assert_eq!(without_secrets(said), kept);
        }
    }
}
