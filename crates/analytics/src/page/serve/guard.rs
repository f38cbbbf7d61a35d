//! Request authorization: accepts only a local browser that shows this server's page.
//!
//! A foreign site can make a browser send requests to this server, and can resolve its own name to
//! 127.0.0.1 (DNS rebinding). `Origin` and `Sec-Fetch-Site` reveal the first, `Host` the second.
//! Requests for data also need the page's token, which a foreign site cannot read.

use hyper::header::{CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

/// Header with the page's token.
pub(super) const TOKEN: HeaderName = HeaderName::from_static("sparkify-token");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Endpoint of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `GET /`: the page.
    Page,
    /// `POST /data`: results of the saved queries.
    Data,
    /// `POST /sql`: statement of the SQL editor.
    Sql,
}

/// Rejected request: status and message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejection(pub StatusCode, pub &'static str);

/// Checks a request and returns its endpoint.
pub(super) fn authorize(parts: &Parts, port: u16, token: &str) -> Result<Endpoint, Rejection> {
    let rejected = |words| Err(Rejection(StatusCode::FORBIDDEN, words));
    if parts.uri.authority().is_some() || !single_header(parts, &HOST, |host| is_local(host, port))
    {
        return rejected("this server accepts only the host names 127.0.0.1 and localhost");
    }
    let local = |origin: &str| origin.strip_prefix("http://").is_some_and(|it| is_local(it, port));
    if parts.headers.contains_key(ORIGIN) && !single_header(parts, &ORIGIN, local) {
        return rejected("cross-origin requests are not allowed");
    }
    if parts.headers.contains_key(SITE)
        && !single_header(parts, &SITE, |site| ["same-origin", "none"].contains(&site))
    {
        return rejected("cross-site requests are not allowed: open the printed address directly");
    }
    let (path, method) = match parts.uri.path() {
        "/" => (Endpoint::Page, Method::GET),
        "/data" => (Endpoint::Data, Method::POST),
        "/sql" => (Endpoint::Sql, Method::POST),
        _ => return Err(Rejection(StatusCode::NOT_FOUND, "not found; the page is at /")),
    };
    if parts.method != method {
        return Err(Rejection(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"));
    }
    if path == Endpoint::Page {
        return Ok(path);
    }
    if !single_header(parts, &CONTENT_TYPE, |kind| kind == "application/json") {
        return Err(Rejection(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type must be application/json",
        ));
    }
    if !single_header(parts, &TOKEN, |shown| constant_time_eq(shown, token)) {
        return rejected("invalid token: reload the page (the server was restarted)");
    }
    Ok(path)
}

/// Returns true if the header occurs exactly once and its value fits. Duplicates are rejected,
/// since servers and proxies disagree on which one counts.
fn single_header(parts: &Parts, name: &HeaderName, fits: impl Fn(&str) -> bool) -> bool {
    let mut found = parts.headers.get_all(name).iter();
    let first = found.next().and_then(|value| value.to_str().ok());
    found.next().is_none() && first.is_some_and(fits)
}

fn is_local(host: &str, port: u16) -> bool {
    let (name, written) = match host.rsplit_once(':') {
        Some((name, digits)) if !digits.ends_with(']') => (name, digits.parse().ok()),
        // Browsers omit the default port of `http://`.
        _ => (host, Some(80)),
    };
    written == Some(port) && ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

/// Compares two tokens in constant time.
fn constant_time_eq(shown: &str, token: &str) -> bool {
    let differing = shown.bytes().zip(token.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    shown.len() == token.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn authorized(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Endpoint, u16> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        authorize(&parts, 8750, "secret").map_err(|rejection| rejection.0.as_u16())
    }

    #[test]
    fn only_local_same_origin_requests_are_accepted() {
        for host in ["127.0.0.1:8750", "localhost:8750", "[::1]:8750"] {
            assert_eq!(
                authorized("GET", "/?since=2018-11-05", &[("host", host)]),
                Ok(Endpoint::Page)
            );
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
            assert_eq!(authorized("GET", "/", &[("host", host)]), Err(403), "{host}");
        }
        let local = ("host", "127.0.0.1:8750");
        assert_eq!(authorized("GET", "/", &[]), Err(403), "no host");
        assert_eq!(
            authorized("GET", "/", &[local, ("host", "evil.example")]),
            Err(403),
            "two hosts"
        );
        assert_eq!(authorized("GET", "http://evil.example/", &[local]), Err(403));
        for (name, value) in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("origin", "https://127.0.0.1:8750"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(
                authorized("GET", "/", &[local, (name, value)]),
                Err(403),
                "{name}: {value}"
            );
        }
        assert_eq!(
            authorized("GET", "/", &[local, ("sec-fetch-site", "none")]),
            Ok(Endpoint::Page)
        );
    }

    #[test]
    fn data_requests_need_the_token_and_json() {
        let local = ("host", "127.0.0.1:8750");
        let (json, token) = (("content-type", "application/json"), ("sparkify-token", "secret"));
        let origin = ("origin", "http://127.0.0.1:8750");
        assert_eq!(authorized("POST", "/sql", &[local, json, token, origin]), Ok(Endpoint::Sql));
        assert_eq!(authorized("POST", "/data", &[local, json, token]), Ok(Endpoint::Data));
        assert_eq!(authorized("POST", "/sql", &[local, json]), Err(403));
        assert_eq!(
            authorized("POST", "/sql", &[local, json, ("sparkify-token", "secreT")]),
            Err(403)
        );
        assert_eq!(authorized("POST", "/sql", &[local, json, ("sparkify-token", "")]), Err(403));
        assert_eq!(authorized("POST", "/sql", &[local, token]), Err(415));
        assert_eq!(
            authorized("POST", "/sql", &[local, token, ("content-type", "text/plain")]),
            Err(415)
        );
        assert_eq!(authorized("GET", "/sql", &[local, json, token]), Err(405));
        assert_eq!(authorized("POST", "/", &[local]), Err(405));
        for path in ["/etc/passwd", "/..", "//", "/data/", "/Data"] {
            assert_eq!(authorized("GET", path, &[local]), Err(404), "{path}");
        }
    }
}
