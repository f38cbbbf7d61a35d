//! Who is let in: a browser of this machine that shows our own page, and nobody whom another site sends.
//!
//! A foreign site can make a browser send requests here, and can give its own name this address (DNS rebinding). The first shows in `Origin` and
//! `Sec-Fetch-Site`, the second in `Host`; and what is asked for beyond the page needs its token, which only the page can read.

use hyper::header::{CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

/// The header that shows the page's token.
pub(super) const TOKEN: HeaderName = HeaderName::from_static("sparkify-token");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// The page.
    Page,
    /// The questions' answers within bounds.
    Data,
    /// A person's own statement.
    Sql,
}

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub StatusCode, pub &'static str);

/// Says what is asked for, or why it is not given.
pub(super) fn judge(parts: &Parts, port: u16, token: &str) -> Result<Path, Refusal> {
    let refused = |words| Err(Refusal(StatusCode::FORBIDDEN, words));
    if parts.uri.authority().is_some() || !only(parts, &HOST, |host| is_ours(host, port)) {
        return refused("this server answers to 127.0.0.1 and localhost alone");
    }
    let ours = |origin: &str| origin.strip_prefix("http://").is_some_and(|it| is_ours(it, port));
    if parts.headers.contains_key(ORIGIN) && !only(parts, &ORIGIN, ours) {
        return refused("another site asks: that is not answered");
    }
    if parts.headers.contains_key(SITE)
        && !only(parts, &SITE, |site| ["same-origin", "none"].contains(&site))
    {
        return refused("another site leads here: type the address instead");
    }
    let (path, method) = match parts.uri.path() {
        "/" => (Path::Page, Method::GET),
        "/data" => (Path::Data, Method::POST),
        "/sql" => (Path::Sql, Method::POST),
        _ => return Err(Refusal(StatusCode::NOT_FOUND, "there is nothing here; the page is at /")),
    };
    if parts.method != method {
        return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "it cannot be asked for like that"));
    }
    if path == Path::Page {
        return Ok(path);
    }
    if !only(parts, &CONTENT_TYPE, |kind| kind == "application/json") {
        return Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a request is application/json"));
    }
    if !only(parts, &TOKEN, |shown| same(shown, token)) {
        return refused("the page is of another run: load it again");
    }
    Ok(path)
}

/// Whether a header is there exactly once, and is as it should be.
fn only(parts: &Parts, name: &HeaderName, fits: impl Fn(&str) -> bool) -> bool {
    let mut found = parts.headers.get_all(name).iter();
    let first = found.next().and_then(|value| value.to_str().ok());
    found.next().is_none() && first.is_some_and(fits)
}

fn is_ours(host: &str, port: u16) -> bool {
    let (name, written) = match host.rsplit_once(':') {
        Some((name, digits)) if !digits.ends_with(']') => (name, digits.parse().ok()),
        // The port of `http://` is not written.
        _ => (host, Some(80)),
    };
    written == Some(port) && ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

/// Whether two tokens are the same, in a time that does not tell where they differ.
fn same(shown: &str, token: &str) -> bool {
    let differing = shown.bytes().zip(token.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    shown.len() == token.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn judged(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Path, u16> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        judge(&parts, 8750, "secret").map_err(|refusal| refusal.0.as_u16())
    }

    #[test]
    fn only_our_own_page_on_this_machine_is_answered() {
        for host in ["127.0.0.1:8750", "localhost:8750", "[::1]:8750"] {
            assert_eq!(judged("GET", "/?since=2018-11-05", &[("host", host)]), Ok(Path::Page));
        }
        let foreign = [
            "evil.example:8750",
            "127.0.0.1:8751",
            "127.0.0.1",
            "localhost.evil.example:8750",
            "[::1]",
            "127.0.0.1:8750:8750",
            "127.0.0.1:08750x",
            "",
        ];
        for host in foreign {
            assert_eq!(judged("GET", "/", &[("host", host)]), Err(403), "{host}");
        }
        let ours = ("host", "127.0.0.1:8750");
        assert_eq!(judged("GET", "/", &[]), Err(403), "no host");
        assert_eq!(judged("GET", "/", &[ours, ("host", "evil.example")]), Err(403), "two hosts");
        assert_eq!(judged("GET", "http://evil.example/", &[ours]), Err(403));
        for (name, value) in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("origin", "https://127.0.0.1:8750"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(judged("GET", "/", &[ours, (name, value)]), Err(403), "{name}: {value}");
        }
        assert_eq!(judged("GET", "/", &[ours, ("sec-fetch-site", "none")]), Ok(Path::Page));
    }

    #[test]
    fn a_request_for_data_shows_the_token_and_is_json() {
        let ours = ("host", "127.0.0.1:8750");
        let (json, token) = (("content-type", "application/json"), ("sparkify-token", "secret"));
        let origin = ("origin", "http://127.0.0.1:8750");
        assert_eq!(judged("POST", "/sql", &[ours, json, token, origin]), Ok(Path::Sql));
        assert_eq!(judged("POST", "/data", &[ours, json, token]), Ok(Path::Data));
        assert_eq!(judged("POST", "/sql", &[ours, json]), Err(403));
        assert_eq!(judged("POST", "/sql", &[ours, json, ("sparkify-token", "secreT")]), Err(403));
        assert_eq!(judged("POST", "/sql", &[ours, json, ("sparkify-token", "")]), Err(403));
        assert_eq!(judged("POST", "/sql", &[ours, token]), Err(415));
        assert_eq!(
            judged("POST", "/sql", &[ours, token, ("content-type", "text/plain")]),
            Err(415)
        );
        assert_eq!(judged("GET", "/sql", &[ours, json, token]), Err(405));
        assert_eq!(judged("POST", "/", &[ours]), Err(405));
        for path in ["/etc/passwd", "/..", "//", "/data/", "/Data"] {
            assert_eq!(judged("GET", path, &[ours]), Err(404), "{path}");
        }
    }
}
