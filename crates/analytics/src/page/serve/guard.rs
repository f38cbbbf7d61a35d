//! Request authorization: accepts only a local browser that shows this server's page.
//!
//! A foreign site can make a browser send requests to this server, and can resolve its own name to
//! 127.0.0.1 (DNS rebinding). `Origin` and `Sec-Fetch-Site` reveal the first, `Host` the second.
//! Requests for data also need the page's token, which a foreign site cannot read.
//!
//! Other users of this machine can connect to 127.0.0.1, too. So the page needs a key: it is in the
//! printed address, and afterwards in a cookie.

use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

/// Header with the page's token.
pub(super) const TOKEN: HeaderName = HeaderName::from_static("sparkify-token");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");

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

/// Secrets of one run of the server.
#[derive(Debug)]
pub(super) struct Secrets {
    /// In the address of the page, and in its cookie.
    pub(super) key: String,
    /// In the page.
    pub(super) token: String,
}

impl Secrets {
    /// Returns the name of the cookie. Cookies do not distinguish ports.
    pub(super) fn cookie_name(port: u16) -> String {
        format!("sparkify-{port}")
    }

    /// True if the address or a cookie has the key.
    fn opens(&self, parts: &Parts, port: u16) -> bool {
        let query = parts.uri.query().unwrap_or_default();
        let in_query = query.split('&').filter_map(|pair| pair.strip_prefix("key="));
        let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
        let name = Self::cookie_name(port);
        let in_cookies = cookies.flat_map(|it| it.split(';')).filter_map(|pair| {
            let (found, value) = pair.trim().split_once('=')?;
            (found == name).then_some(value)
        });
        in_query.chain(in_cookies).any(|shown| constant_time_eq(shown, &self.key))
    }
}

/// Checks a request and returns its endpoint.
pub(super) fn authorize(
    parts: &Parts,
    port: u16,
    secrets: &Secrets,
) -> Result<Endpoint, Rejection> {
    let rejected = |words| Err(Rejection(StatusCode::FORBIDDEN, words));
    if parts.uri.authority().is_some() || !single_header(parts, &HOST, |host| is_local(host, port))
    {
        return rejected("this server accepts only the host names 127.0.0.1 and localhost");
    }
    let local = |origin: &str| origin.strip_prefix("http://").is_some_and(|it| is_local(it, port));
    if parts.headers.contains_key(ORIGIN) && !single_header(parts, &ORIGIN, local) {
        return rejected("cross-origin requests are not allowed");
    }
    // A link or a file may open the page in a window: its site cannot read the window.
    let is_window = parts.uri.path() == "/"
        && single_header(parts, &DESTINATION, |destination| destination == "document");
    if parts.headers.contains_key(SITE)
        && !is_window
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
        return if secrets.opens(parts, port) {
            Ok(path)
        } else {
            rejected("the address has no valid key: open the address that `sparkify serve` printed")
        };
    }
    if !single_header(parts, &CONTENT_TYPE, |kind| kind == "application/json") {
        return Err(Rejection(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type must be application/json",
        ));
    }
    if !single_header(parts, &TOKEN, |shown| constant_time_eq(shown, &secrets.token)) {
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
        let secrets = Secrets { key: "key".into(), token: "secret".into() };
        authorize(&parts, 8750, &secrets).map_err(|rejection| rejection.0.as_u16())
    }

    #[test]
    fn only_local_same_origin_requests_are_accepted() {
        for host in ["127.0.0.1:8750", "localhost:8750", "[::1]:8750"] {
            assert_eq!(
                authorized("GET", "/?since=2018-11-05&key=key", &[("host", host)]),
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
        let cookie = ("cookie", "other=key; sparkify-8750=key");
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
        for (name, value) in [("sec-fetch-site", "none"), ("sec-fetch-dest", "document")] {
            assert_eq!(authorized("GET", "/", &[local, cookie, (name, value)]), Ok(Endpoint::Page));
        }
        let (site, image) = (("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image"));
        let window = ("sec-fetch-dest", "document");
        assert_eq!(authorized("GET", "/", &[local, cookie, site, window]), Ok(Endpoint::Page));
        assert_eq!(authorized("GET", "/", &[local, cookie, site, image]), Err(403));
    }

    #[test]
    fn the_page_needs_the_key() {
        let local = ("host", "127.0.0.1:8750");
        for path in ["/", "/?key=", "/?key=KEY", "/?key=keys", "/?since=key", "/?xkey=key"] {
            assert_eq!(authorized("GET", path, &[local]), Err(403), "{path}");
        }
        for cookie in ["sparkify-8751=key", "sparkify-8750=kex", "sparkify-8750", "key"] {
            assert_eq!(authorized("GET", "/", &[local, ("cookie", cookie)]), Err(403), "{cookie}");
        }
        let token = [local, ("content-type", "application/json"), ("sparkify-token", "key")];
        assert_eq!(authorized("POST", "/sql", &token), Err(403), "the key is not the token");
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
