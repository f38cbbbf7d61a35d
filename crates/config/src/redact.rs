//! Redaction of secrets in messages: passwords in URLs and values of secret parameters become
//! `****`.

/// Characters that end a word of a message.
const ENDS_WORD: [char; 4] = [' ', '"', '\'', '`'];
/// Parts of parameter names that mark a secret value.
const SECRET_NAMES: [&str; 7] =
    ["password", "pwd", "secret", "token", "signature", "credential", "access_key"];

/// Redacts secrets in a message and joins its lines: servers and libraries may quote their input.
pub fn without_secrets(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let urls: String = text.split_inclusive(ENDS_WORD).map(without_password).collect();
    let ends_value = |c: char| ENDS_WORD.contains(&c) || ['&', ';', ',', '?'].contains(&c);
    urls.split_inclusive(ends_value).map(|part| without_value(part, ends_value)).collect()
}

/// Redacts everything between `://` and the last `@` of a URL, since it may contain a password. The
/// key of an S3 object may contain an `@`, but never a password.
pub fn without_password(url: &str) -> String {
    let Some(start) = url.find("://") else { return url.to_owned() };
    // In S3, a slash ends the part that can be a pair of keys.
    let end = if url.starts_with("s3:") { url[start + 3..].find('/') } else { None };
    let end = end.map_or(url.len(), |end| start + 3 + end);
    match url[..end].rfind('@') {
        Some(at) if start < at => format!("{}****{}", &url[..start + 3], &url[at..]),
        _ => url.to_owned(),
    }
}

/// Redacts a setting that should be a URL, but may be anything that contains a password:
/// `postgres//me:PW@host/db`, `me:PW@host`, `Server=x;Password=PW`.
pub fn malformed_url(written: &str) -> String {
    let redacted = if written.contains("://") {
        without_password(written)
    } else {
        match written.rfind('@') {
            Some(at) => format!("****{}", &written[at..]),
            None => written.to_owned(),
        }
    };
    without_secrets(&redacted)
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
    fn malformed_urls_show_no_password() {
        for (written, redacted) in [
            ("postgres//me:PW@h/d", "****@h/d"),
            ("me:PW@h/d", "****@h/d"),
            ("Server=x;Password=PW", "Server=x;Password=****"),
            ("Server=x;Pwd=PW", "Server=x;Pwd=****"),
            ("https://u:PW@h", "https://****@h"),
            ("s3://AK:PW@b", "s3://****@b"),
            ("s3://AK:PW@b/a@b", "s3://****@b/a@b"),
            ("file.duckdb", "file.duckdb"),
        ] {
            assert_eq!(malformed_url(written), redacted);
        }
    }

    #[test]
    fn secrets_are_redacted() {
        for (message, redacted) in [
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
            assert_eq!(without_secrets(message), redacted);
        }
    }
}
